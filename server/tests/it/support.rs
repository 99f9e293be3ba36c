//! A pretend Zoom and a server on it, in this process or as the real binary, on free ports.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::time::Timestamp;
use serde_json::{Value, json};
use server::{Purpose, RunError, config::Config, run, store::Store};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Handle, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use zoom_sim::{Sim, SimConfig};

/// How long a state may take to come about. Only a failing test waits this long.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server in this process, on a pretend Zoom.
pub(crate) struct Rig {
    pub(crate) sim: Sim,
    pub(crate) address: SocketAddr,
    pub(crate) http: reqwest::Client,
    /// Removed with everything in it at the end.
    data: TempDir,
    pub(crate) stop: CancellationToken,
    pub(crate) running: JoinHandle<Result<(), RunError>>,
}

impl Rig {
    /// A quiet pretend Zoom, a connected server.
    pub(crate) async fn start() -> Self {
        Self::start_with(SimConfig::quiet(), |_| {}).await
    }

    pub(crate) async fn start_with(sim: SimConfig, change: impl FnOnce(&mut Config)) -> Self {
        Self::serve(Sim::start(sim).await.unwrap(), tempfile::tempdir().unwrap(), change).await
    }

    /// A server that was installed two days ago, so that it has been there all of today.
    pub(crate) async fn start_installed(sim: SimConfig, change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let installed_at = Timestamp::from_millis(now().timestamp_millis() - 2 * 86_400_000);
        let (store, writer) = Store::open(data.path(), Purpose::Work, installed_at).await.unwrap();
        store.close().await;
        writer.close().await.unwrap();
        drop(store);
        Self::serve(Sim::start(sim).await.unwrap(), data, change).await
    }

    /// The same pretend Zoom and the same data.
    async fn serve(sim: Sim, data: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config_for(&sim, data.path());
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (runtime, stopped) = (Handle::current(), stop.clone());
        let serve = move || runtime.block_on(run(config, Purpose::Work, listener, stopped));
        let running = tokio::task::spawn_blocking(serve);
        let rig = Self { sim, address, http: client(), data, stop, running };
        assert!(rig.sim.wait_connected(DEADLINE).await, "the server connects");
        rig.eventually("the feed is live", |feed: &Value| feed["link"] == "live", "/api/v1/feed").await;
        rig
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        json_at(&self.http, &self.url(path)).await.expect("an answer in JSON")
    }

    /// Waits until what `path` answers satisfies `is_so`.
    pub(crate) async fn eventually(&self, what: &str, is_so: impl Fn(&Value) -> bool, path: &str) -> Value {
        eventually(&self.http, what, is_so, &self.url(path)).await
    }

    /// Waits until the row of a queue satisfies `is_so`.
    pub(crate) async fn queue(&self, what: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let row_of = |queues: &Value| {
            queues.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == name)).cloned()
        };
        let queues = self
            .eventually(what, |queues| row_of(queues).is_some_and(|row| is_so(&row)), "/api/v1/queues")
            .await;
        row_of(&queues).unwrap()
    }

    /// Where the server keeps its database.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) async fn post_webhook(&self, body: &str) -> reqwest::Response {
        let secret = self.sim.credentials().webhook_secret.clone();
        post_webhook(&self.http, &self.url("/webhooks/zoom"), &secret, body).await
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.sim.stop().await;
    }

    /// Stops the server alone.
    pub(crate) async fn halt(self) -> (Sim, TempDir) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        (self.sim, self.data)
    }

    /// Stops the server, lets `meanwhile` happen at Zoom, and starts the server with what it had written.
    pub(crate) async fn restart(
        self,
        meanwhile: impl AsyncFnOnce(&Sim),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let (sim, data) = self.halt().await;
        meanwhile(&sim).await;
        Self::serve(sim, data, change).await
    }
}

/// The real binary on a pretend Zoom.
pub(crate) struct Process {
    child: Child,
    /// A process whose output nobody reads ends when it says something.
    _output: Option<BufReader<ChildStdout>>,
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
}

impl Process {
    pub(crate) async fn start(sim: &Sim, folder: &Path) -> Self {
        Self::start_with(environment(sim, folder), folder, "live").await
    }

    /// With these variables; ready when the feed's link is as said.
    pub(crate) async fn start_with(
        environment: Vec<(&'static str, String)>,
        folder: &Path,
        link: &'static str,
    ) -> Self {
        let log = folder.with_extension("log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
        command.arg("serve").env_clear().stdout(Stdio::piped()).stderr(file);
        for (name, value) in environment {
            command.env(name, value);
        }
        command.env("CALLBOARD_LISTEN", "127.0.0.1:0").env("CALLBOARD_LOG", "debug");
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // Told as soon as the database is open, so this does not wait for what runs in this process.
        output.read_line(&mut line).unwrap();
        let address = line.trim_end().trim_end_matches('/').rsplit('/').next().unwrap_or_default().parse();
        let address = address.unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("no address in {line:?}; see {}", log.display())
        });
        let process = Self { child, _output: Some(output), address, log };
        process.wait_for_link(link).await;
        process
    }

    /// With these variables, saying what it says to `out` and `err`; it may not be ready yet.
    pub(crate) fn spawn(
        environment: Vec<(&'static str, String)>,
        filter: &str,
        out: Stdio,
        err: Stdio,
    ) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_callboard"));
        Self::spawn_command(command, environment, filter, out, err)
    }

    /// With a limit, as the shell's `ulimit` writes it.
    #[cfg(unix)]
    pub(crate) fn spawn_limited(environment: Vec<(&'static str, String)>, limit: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_callboard")]);
        Self::spawn_command(command, environment, "info", Stdio::null(), Stdio::null())
    }

    fn spawn_command(
        mut command: Command,
        environment: Vec<(&'static str, String)>,
        filter: &str,
        out: Stdio,
        err: Stdio,
    ) -> Self {
        // The port is free now; nobody else on this machine is told of it.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        command.arg("serve").env_clear().stdout(out).stderr(err);
        for (name, value) in environment {
            command.env(name, value);
        }
        command.env("CALLBOARD_LISTEN", address.to_string()).env("CALLBOARD_LOG", filter);
        Self { child: command.spawn().unwrap(), _output: None, address, log: PathBuf::new() }
    }

    pub(crate) async fn wait_for_link(&self, link: &'static str) {
        let is_there = |feed: &Value| feed["link"] == link;
        eventually(&client(), "the process serves", is_there, &self.url("/api/v1/feed")).await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// As a person or a service manager would.
    pub(crate) fn stop(self) {
        self.stop_by("-TERM");
    }

    pub(crate) fn stop_by(mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// As a power cut would: no signal to prepare for.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn client() -> reqwest::Client {
    server::zoom::http_client().unwrap()
}

/// The variables a person would set to use this pretend Zoom.
pub(crate) fn environment(sim: &Sim, folder: &Path) -> Vec<(&'static str, String)> {
    let credentials = sim.credentials();
    vec![
        ("ZOOM_ACCOUNT_ID", credentials.account_id.clone()),
        ("ZOOM_CLIENT_ID", credentials.client_id.clone()),
        ("ZOOM_CLIENT_SECRET", credentials.client_secret.clone()),
        ("ZOOM_WS_SUBSCRIPTION_ID", credentials.subscription_id.clone()),
        ("ZOOM_WEBHOOK_SECRET_TOKEN", credentials.webhook_secret.clone()),
        ("ZOOM_OAUTH_URL", sim.oauth_url()),
        ("ZOOM_API_URL", sim.api_url()),
        ("ZOOM_WS_URL", sim.ws_url()),
        ("CALLBOARD_DATA_DIR", folder.to_string_lossy().into_owned()),
    ]
}

pub(crate) fn config_for(sim: &Sim, folder: &Path) -> Config {
    let variables = environment(sim, folder);
    let look_up =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    Config::load(look_up, None).unwrap()
}

async fn json_at(http: &reqwest::Client, url: &str) -> Option<Value> {
    http.get(url).send().await.ok()?.json().await.ok()
}

/// Asks again until the answer satisfies `is_so`.
pub(crate) async fn eventually(
    http: &reqwest::Client,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
    url: &str,
) -> Value {
    let deadline = Instant::now() + DEADLINE;
    let mut last = None;
    while Instant::now() < deadline {
        if let Some(value) = json_at(http, url).await {
            if is_so(&value) {
                return value;
            }
            last = Some(value);
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    panic!("never came about: {what}; last answer of {url}: {last:?}");
}

pub(crate) async fn post_webhook(
    http: &reqwest::Client,
    url: &str,
    secret: &str,
    body: &str,
) -> reqwest::Response {
    let timestamp = (server::clock::now().as_millis() / 1000).to_string();
    http.post(url)
        .header("x-zm-request-timestamp", &timestamp)
        .header("x-zm-signature", zoom_sim::sign(secret, &timestamp, body))
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(server::clock::now().as_millis()).unwrap()
}

fn zoom_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A phone of somebody the pretend Zoom knows, ringing on behalf of one of its queues.
pub(crate) struct Ring {
    object: Value,
    account_id: String,
}

impl Ring {
    pub(crate) fn new(sim: &Sim, call_id: &str, queue: usize, member: usize, since: DateTime<Utc>) -> Self {
        let directory = sim.directory();
        let queue = &directory.queues[queue];
        let seat = &directory.seats[queue.members[member].seat];
        let object = json!({
            "call_id": call_id,
            "caller": { "phone_number": "+4930123456", "connection_type": "pstn_off_net" },
            "callee": {
                "extension_type": "user",
                "extension_id": seat.extension_id,
                "extension_number": seat.extension_number,
                "user_id": seat.id,
                "device_id": format!("device-of-{}", seat.id),
                "phone_number": seat.extension_number.to_string(),
                "name": seat.name,
            },
            "forwarded_by": {
                "name": queue.name,
                "extension_type": "callQueue",
                "extension_number": queue.extension_number.to_string(),
            },
            "ringing_start_time": zoom_time(since),
        });
        Self { object, account_id: sim.credentials().account_id.clone() }
    }

    fn event(&self, name: &str, add: &[(&str, Value)]) -> Value {
        let mut object = self.object.clone();
        for (key, value) in add {
            object[*key] = value.clone();
        }
        json!({
            "event": name,
            "event_ts": server::clock::now().as_millis(),
            "payload": { "account_id": self.account_id, "object": object },
        })
    }

    pub(crate) fn ringing(&self) -> Value {
        self.event("phone.callee_ringing", &[])
    }

    pub(crate) fn answered(&self, at: DateTime<Utc>) -> Value {
        self.event("phone.callee_answered", &[("answer_start_time", json!(zoom_time(at)))])
    }

    pub(crate) fn ended(&self, answered: DateTime<Utc>, at: DateTime<Utc>) -> Value {
        let add =
            [("answer_start_time", json!(zoom_time(answered))), ("call_end_time", json!(zoom_time(at)))];
        self.event("phone.callee_ended", &add)
    }
}
