//! The server under test: a child process with a data folder of its own, on a core of its own.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use zoom_sim::Sim;

use crate::{clock, pinning::Cores, requests::Connection};

/// How long it may take to start, or to end.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where things lie that a run needs.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The release server.
    pub(crate) server: PathBuf,
    /// For databases; on a real disk, or durability would cost nothing.
    pub(crate) scratch: PathBuf,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Callboard {
    child: Child,
    pub(crate) address: SocketAddr,
    data: Option<TempDir>,
    asking: Option<Connection>,
}

/// What the server says of its feed; the part that measurements need.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Feed {
    pub(crate) journalled: u64,
    pub(crate) duplicates: u64,
    pub(crate) quarantined: u64,
    pub(crate) lost: u64,
    pub(crate) reconnects: u64,
    pub(crate) directory: DirectoryReading,
}

#[derive(Deserialize)]
struct Queue {
    members: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DirectoryReading {
    pub(crate) read_at: Option<String>,
}

impl Callboard {
    /// Starts a server with an empty database that listens to `sim`, and waits until it does.
    pub(crate) fn start(places: &Places, cores: Cores, sim: &Sim) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&places.scratch)?;
        let data = tempfile::Builder::new().prefix("callboard-").tempdir_in(&places.scratch)?;
        let credentials = sim.credentials();
        let mut command = Command::new(&places.server);
        command
            .arg("serve")
            .env_clear()
            .env("ZOOM_ACCOUNT_ID", &credentials.account_id)
            .env("ZOOM_CLIENT_ID", &credentials.client_id)
            .env("ZOOM_CLIENT_SECRET", &credentials.client_secret)
            .env("ZOOM_WS_SUBSCRIPTION_ID", &credentials.subscription_id)
            .env("ZOOM_OAUTH_URL", sim.oauth_url())
            .env("ZOOM_API_URL", sim.api_url())
            .env("ZOOM_WS_URL", sim.ws_url())
            .env("CALLBOARD_DATA_DIR", data.path());
        Self::launch(command, places, cores, data)
    }

    /// Starts a server that shows a file of events, and waits until it does.
    pub(crate) fn replay(places: &Places, cores: Cores, file: &Path) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("callboard-").tempdir_in(&places.scratch)?;
        let mut command = Command::new(&places.server);
        // Its own folder, too, has to be on a real disk.
        command.arg("replay").arg(file).env_clear().env("TMPDIR", data.path());
        Self::launch(command, places, cores, data)
    }

    fn launch(mut command: Command, places: &Places, cores: Cores, data: TempDir) -> anyhow::Result<Self> {
        let log = File::create(data.path().join("log"))?;
        command
            .env("CALLBOARD_LISTEN", "127.0.0.1:0")
            .env("CALLBOARD_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = cores
            .on_measured_core(|| command.spawn())
            .with_context(|| format!("failed to start {}", places.server.display()))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.trim_end().trim_end_matches('/').parse().ok());
        let Some(address) = address else {
            // It may still be running and would be left behind.
            child.kill().ok();
            child.wait().ok();
            let log = std::fs::read_to_string(data.path().join("log")).unwrap_or_default();
            bail!("the server did not start: {line}{log}");
        };
        let mut server = Self { child, address, data: Some(data), asking: None };
        let give_up = clock::now() + STARTS_WITHIN;
        while server.get("/readyz")?.0 != 200 {
            if clock::now() > give_up {
                bail!("the server did not get ready within {} s", STARTS_WITHIN.as_secs());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The database, of use when the server has ended.
    pub(crate) fn database(folder: &Path) -> PathBuf {
        folder.join("callboard.sqlite")
    }

    pub(crate) fn feed(&mut self) -> anyhow::Result<Feed> {
        let (status, body) = self.get("/api/v1/feed")?;
        if status != 200 {
            bail!("the server answered {status} when asked for its feed");
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// How many queues there are, and of how many the members are known.
    pub(crate) fn staffed_queues(&mut self) -> anyhow::Result<(usize, usize)> {
        let (status, body) = self.get("/api/v1/queues")?;
        ensure!(status == 200, "the server answered {status} when asked for its queues");
        let queues: Vec<Queue> = serde_json::from_slice(&body)?;
        Ok((queues.len(), queues.iter().filter(|queue| queue.members.is_some()).count()))
    }

    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<(u16, Vec<u8>)> {
        let mut connection = match self.asking.take() {
            Some(connection) => connection,
            None => Connection::open(self.address)?,
        };
        match connection.get(path, "") {
            Ok(answer) => {
                self.asking = Some(connection);
                Ok((answer.status, answer.body))
            }
            // A kept connection ends after a while without questions.
            Err(_) => {
                let mut connection = Connection::open(self.address)?;
                let answer = connection.get(path, "")?;
                self.asking = Some(connection);
                Ok((answer.status, answer.body))
            }
        }
    }

    /// Ends it in good order; its data stays until the folder is dropped.
    pub(crate) fn stop(mut self) -> anyhow::Result<TempDir> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM)?;
        }
        let give_up = clock::now() + ENDS_WITHIN;
        while self.child.try_wait()?.is_none() {
            if clock::now() > give_up {
                bail!("the server did not end within {} s", ENDS_WITHIN.as_secs());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(self.data.take().expect("the folder is only taken here"))
    }
}

impl Drop for Callboard {
    fn drop(&mut self) {
        // Both can only fail when it is gone already, which is what we want.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
