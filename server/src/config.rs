//! What the operator decides: environment variables and an optional TOML file with the same names.
//!
//! [`Config::load`] is a pure function of its two sources and reports every problem at once, each
//! with the variable's name and what to do; `main` prints them and exits with 64 before a port
//! opens. The environment wins over the file. Secrets can be given as `NAME_FILE`, the path of a
//! file that holds the value.

use std::{
    collections::BTreeMap,
    fmt, fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono_tz::Tz;
use domain::service_level::PromiseBook;
use secrecy::SecretString;
use url::{Host, Url};

use crate::{
    recording::RecordedSpan,
    telemetry::in_words,
    zoom::rate_limit::{Plan, Share},
};

mod service_levels;

/// Everything the operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// How Zoom is reached and believed.
    pub zoom: ZoomConfig,
    /// `CALLBOARD_LISTEN`, default `127.0.0.1:8080`: address and port of the web server.
    pub listen: SocketAddr,
    /// `CALLBOARD_DATA_DIR`, default `./data`: folder of the database.
    pub data_dir: PathBuf,
    /// `CALLBOARD_PUBLIC_URL`, no default: where browsers reach this server.
    pub public_url: Option<Url>,
    /// `CALLBOARD_TIME_ZONE`, default `UTC`: IANA zone of queues that name none themselves.
    pub time_zone: Tz,
    /// `CALLBOARD_SERVICE_LEVELS`, no default: path of a TOML file that says what is promised, by queue and
    /// since when; without it, 80 % within 20 s.
    pub promises: PromiseBook,
    /// `CALLBOARD_KEEP_DAYS`, default 30: for how many days the board of any instant can be shown.
    pub keep: Duration,
    /// `CALLBOARD_LOG`, default `info`: log filter, such as `info,server=debug`.
    pub log: String,
    /// What a replay shows instead of an account. Not from the environment.
    pub recording: Option<RecordedSpan>,
    /// What a demo's Zoom had told before it began, in the order in which it did: the body of each event. Not from
    /// the environment.
    pub told_before: Vec<String>,
    /// What a demo's Zoom had written down before it began: the path of each call as JSON, read at once. Not
    /// from the environment.
    pub written_before: Vec<String>,
}

/// How Zoom is reached and believed.
#[derive(Debug, Clone)]
pub struct ZoomConfig {
    /// `ZOOM_ACCOUNT_ID`, no default: events that name another account are counted apart.
    pub account_id: Option<String>,
    /// The app's credentials; absent on a server that only takes webhooks.
    pub app: Option<AppCredentials>,
    /// `ZOOM_WS_SUBSCRIPTION_ID`, no default: the event subscription of kind WebSocket. May also
    /// come as `subscriptionId` in the query of `ZOOM_WS_URL`.
    pub ws_subscription_id: Option<String>,
    /// What webhooks are checked with.
    pub webhook: WebhookConfig,
    /// `ZOOM_OAUTH_URL`, default `https://zoom.us/oauth/token`.
    pub oauth_url: Url,
    /// `ZOOM_API_URL`, default `https://api.zoom.us/v2`.
    pub api_url: Url,
    /// `ZOOM_WS_URL`, default `wss://ws.zoom.us/ws`.
    pub ws_url: Url,
    /// `ZOOM_PLAN`, default `pro`: `pro` or `business`, by which Zoom limits the REST requests of an
    /// account.
    pub plan: Plan,
    /// `ZOOM_API_SHARE`, default 50: the part of these requests that this server may use, in percent.
    pub api_share: Share,
    /// Time-outs and back-off of the connection. Not from the environment.
    pub timings: FeedTimings,
}

/// The Server-to-Server OAuth app.
#[derive(Debug, Clone)]
pub struct AppCredentials {
    /// `ZOOM_OAUTH_GRANT`, default `account_credentials`.
    pub grant: Grant,
    /// `ZOOM_ACCOUNT_ID`; needed for the grant `account_credentials`.
    pub account_id: Option<String>,
    /// `ZOOM_CLIENT_ID`.
    pub client_id: String,
    /// `ZOOM_CLIENT_SECRET` or `ZOOM_CLIENT_SECRET_FILE`.
    pub client_secret: SecretString,
}

/// How a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// For a Server-to-Server app; its tokens serve the WebSocket and the REST API.
    AccountCredentials,
    /// For a General app.
    ClientCredentials,
}

impl Grant {
    /// The word on the wire and in the environment.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AccountCredentials => "account_credentials",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// What webhooks are checked with.
#[derive(Debug, Clone, Default)]
pub struct WebhookConfig {
    /// `ZOOM_WEBHOOK_SECRET_TOKEN` (also `ZOOM_WEBHOOK_SECRET`), or `…_FILE`: without one, webhooks
    /// are refused.
    pub secret: Option<SecretString>,
    /// `ZOOM_WEBHOOK_SECRET_TOKEN_PREVIOUS` or `…_FILE`: accepted as well while the token is rotated.
    pub previous_secret: Option<SecretString>,
    /// `ZOOM_WEBHOOK_TOLERANCE_SECONDS`, default 300: how old or early a signed request may be.
    pub tolerance: Duration,
}

/// Time-outs and back-off of the connection to Zoom.
#[derive(Debug, Clone, Copy)]
pub struct FeedTimings {
    /// Default 25 s. Zoom wants a heartbeat at least every 30 s.
    pub heartbeat: Duration,
    /// Default 50 s: the link is taken for dead when nothing at all came for this long. Two
    /// heartbeats, one lost answer.
    pub silence: Duration,
    /// Default 1 s: the first wait after a failure; doubles with jitter.
    pub back_off_first: Duration,
    /// Default 30 s: the longest wait.
    pub back_off_longest: Duration,
    /// Default 60 s: a connection that held this long was a good one; the back-off starts afresh.
    pub settled_after: Duration,
    /// Default 5 min before a token ends, the next connection is made (a fifth of the token's life
    /// when that is shorter).
    pub renew_early: Duration,
    /// Default 15 s for name resolution, TLS and upgrade together.
    pub connect: Duration,
    /// Default 10 s for a token.
    pub token: Duration,
    /// Default 30 s between two attempts with credentials that were refused.
    pub refused_pause: Duration,
    /// Default 60 s between attempts while another consumer keeps taking the subscription.
    pub contested_pause: Duration,
    /// Default 10 s: how often the last proof of life is written down.
    pub pulse: Duration,
    /// Default 10 s: how long a replaced connection is read on for its last events.
    pub linger: Duration,
    /// Default 90 s after a gap its records are read: Zoom writes them up to minutes after a call.
    pub record_delay: Duration,
    /// Default 10 min after a repair the same records are read once more, for calls that were written
    /// down late or revised.
    pub second_look: Duration,
    /// Default 5 min: how often the records of calls that ended since are read. All of the last two days
    /// are read every night at half past two.
    pub record_every: Duration,
    /// Default 15 min without an event of any call, after which it is looked whether Zoom's record shows
    /// some: a subscription may be switched off while its connection lives.
    pub quiet: Duration,
}

impl Default for FeedTimings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            silence: Duration::from_secs(50),
            back_off_first: Duration::from_secs(1),
            back_off_longest: Duration::from_secs(30),
            settled_after: Duration::from_secs(60),
            renew_early: Duration::from_secs(5 * 60),
            connect: Duration::from_secs(15),
            token: Duration::from_secs(10),
            refused_pause: Duration::from_secs(30),
            contested_pause: Duration::from_secs(60),
            pulse: Duration::from_secs(10),
            linger: Duration::from_secs(10),
            record_delay: Duration::from_secs(90),
            second_look: Duration::from_secs(10 * 60),
            record_every: Duration::from_secs(5 * 60),
            quiet: Duration::from_secs(15 * 60),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable, or the file.
    pub subject: String,
    /// What is wrong and what to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.advice)
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// A variable: its name, and whether `NAME_FILE` exists as well.
struct Variable {
    name: &'static str,
    secret: bool,
}

const fn plain(name: &'static str) -> Variable {
    Variable { name, secret: false }
}

const fn secret(name: &'static str) -> Variable {
    Variable { name, secret: true }
}

/// Names the path of the TOML file; only in the environment.
pub const CONFIG_FILE: &str = "CALLBOARD_CONFIG";

const ACCOUNT_ID: &str = "ZOOM_ACCOUNT_ID";
const CLIENT_ID: &str = "ZOOM_CLIENT_ID";
const CLIENT_SECRET: &str = "ZOOM_CLIENT_SECRET";
const GRANT: &str = "ZOOM_OAUTH_GRANT";
const WEBHOOK_SECRET: &str = "ZOOM_WEBHOOK_SECRET_TOKEN";
const WEBHOOK_SECRET_ALIAS: &str = "ZOOM_WEBHOOK_SECRET";
const WEBHOOK_SECRET_PREVIOUS: &str = "ZOOM_WEBHOOK_SECRET_TOKEN_PREVIOUS";
const WEBHOOK_TOLERANCE: &str = "ZOOM_WEBHOOK_TOLERANCE_SECONDS";
const SUBSCRIPTION_ID: &str = "ZOOM_WS_SUBSCRIPTION_ID";
const OAUTH_URL: &str = "ZOOM_OAUTH_URL";
const API_URL: &str = "ZOOM_API_URL";
const WS_URL: &str = "ZOOM_WS_URL";
const PLAN: &str = "ZOOM_PLAN";
const API_SHARE: &str = "ZOOM_API_SHARE";
const LISTEN: &str = "CALLBOARD_LISTEN";
const DATA_DIR: &str = "CALLBOARD_DATA_DIR";
const PUBLIC_URL: &str = "CALLBOARD_PUBLIC_URL";
const TIME_ZONE: &str = "CALLBOARD_TIME_ZONE";
const SERVICE_LEVELS: &str = "CALLBOARD_SERVICE_LEVELS";
const KEEP_DAYS: &str = "CALLBOARD_KEEP_DAYS";
const LOG: &str = "CALLBOARD_LOG";

/// All of them, in the order people read about them.
const VARIABLES: [Variable; 21] = [
    plain(ACCOUNT_ID),
    plain(CLIENT_ID),
    secret(CLIENT_SECRET),
    plain(GRANT),
    plain(SUBSCRIPTION_ID),
    secret(WEBHOOK_SECRET),
    secret(WEBHOOK_SECRET_ALIAS),
    secret(WEBHOOK_SECRET_PREVIOUS),
    plain(WEBHOOK_TOLERANCE),
    plain(OAUTH_URL),
    plain(API_URL),
    plain(WS_URL),
    plain(PLAN),
    plain(API_SHARE),
    plain(LISTEN),
    plain(DATA_DIR),
    plain(PUBLIC_URL),
    plain(TIME_ZONE),
    plain(SERVICE_LEVELS),
    plain(KEEP_DAYS),
    plain(LOG),
];

/// A variable of this process.
pub fn process_environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one function that reads the environment")]
    let value = std::env::var_os(name);
    value.map(|value| value.to_string_lossy().into_owned())
}

impl Config {
    /// Reads the configuration of this process; `file` is the path given on the command line.
    pub fn from_process(file: Option<&Path>) -> Result<Self, ConfigErrors> {
        Self::load(process_environment, file)
    }

    /// Builds the configuration from `environment` and the TOML file, if any.
    pub fn load(
        environment: impl Fn(&str) -> Option<String>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Vec::new();
        let file = file
            .map(Path::to_path_buf)
            .or_else(|| environment(CONFIG_FILE).filter(|path| !path.trim().is_empty()).map(PathBuf::from));
        let from_file = file.map(|path| read_file(&path, &mut problems)).unwrap_or_default();
        let mut given = Given { values: BTreeMap::new(), problems };
        for variable in &VARIABLES {
            given.collect(variable, &environment, &from_file);
        }
        let config = given.config();
        if given.problems.is_empty() { Ok(config) } else { Err(ConfigErrors { problems: given.problems }) }
    }
}

fn is_known(name: &str) -> bool {
    VARIABLES.iter().any(|variable| {
        name == variable.name
            || (variable.secret && name.strip_suffix("_FILE").is_some_and(|stem| stem == variable.name))
    })
}

/// Variables of this process that look like ours and are none: perhaps misspelt. Another program may have
/// variables of these families, too, so they are no error.
pub fn unknown_in_process() -> Vec<String> {
    unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))
}

fn unknown(names: impl Iterator<Item = String>) -> Vec<String> {
    let is_ours = |name: &str| name.starts_with("CALLBOARD_") || name.starts_with("ZOOM_");
    let mut unknown: Vec<_> =
        names.filter(|name| is_ours(name) && name != CONFIG_FILE && !is_known(name)).collect();
    unknown.sort();
    unknown
}

/// Reads the TOML file as texts by name.
fn read_file(path: &Path, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let subject = path.display().to_string();
    let mut report = |advice: String| problems.push(Problem { subject: subject.clone(), advice });
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            report(format!("cannot be read ({}); correct the path or its permissions", in_words(&error)));
            return BTreeMap::new();
        }
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            // The error's own text would quote the line, which may hold a secret.
            report(format!("is not valid TOML{}; every line reads NAME = \"value\"", line_of(&text, &error)));
            return BTreeMap::new();
        }
    };
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !is_known(&name) {
            report(format!("does not know {name}; remove it or correct its spelling"));
            continue;
        }
        match value {
            toml::Value::String(text) => {
                values.insert(name, text);
            }
            toml::Value::Integer(number) => {
                values.insert(name, number.to_string());
            }
            _ => report(format!("{name} must be a text or a whole number")),
        }
    }
    values
}

fn line_of(text: &str, error: &toml::de::Error) -> String {
    error.span().map_or_else(String::new, |span| {
        let line = text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1);
        format!(" (line {line})")
    })
}

/// The texts that were given, and what is wrong so far.
struct Given {
    values: BTreeMap<&'static str, String>,
    problems: Vec<Problem>,
}

impl Given {
    fn report(&mut self, subject: impl Into<String>, advice: impl Into<String>) {
        self.problems.push(Problem { subject: subject.into(), advice: advice.into() });
    }

    fn collect(
        &mut self,
        variable: &Variable,
        environment: &impl Fn(&str) -> Option<String>,
        file: &BTreeMap<String, String>,
    ) {
        let from_environment = |name: &str| environment(name).filter(|text| !text.trim().is_empty());
        let from_file = |name: &str| file.get(name).cloned().filter(|text| !text.trim().is_empty());
        let path_name = format!("{}_FILE", variable.name);
        let mut sources = [
            (from_environment(variable.name), from_environment(&path_name)),
            (from_file(variable.name), from_file(&path_name)),
        ]
        .into_iter();
        let found = sources.find_map(|(value, path)| {
            let path = path.filter(|_| variable.secret);
            (value.is_some() || path.is_some()).then_some((value, path))
        });
        match found {
            None => {}
            Some((Some(_), Some(_))) => {
                self.report(variable.name, format!("is set twice; keep it or {path_name}, not both"));
            }
            Some((Some(value), None)) => self.keep(variable, variable.name, &value),
            Some((None, path)) => {
                let path = path.unwrap_or_default();
                match fs::read_to_string(&path) {
                    Ok(text) if text.trim().is_empty() => {
                        self.report(path_name, format!("{path} is empty; put the value into it"));
                    }
                    Ok(text) => self.keep(variable, &path_name, &text),
                    Err(error) => self.report(
                        path_name,
                        format!(
                            "{path} cannot be read ({}); correct the path or its permissions",
                            in_words(&error)
                        ),
                    ),
                }
            }
        }
    }

    fn keep(&mut self, variable: &Variable, subject: &str, text: &str) {
        let text = text.trim();
        if text.contains('\u{fffd}') {
            self.report(subject, "is not valid UTF-8");
        } else if text.chars().any(char::is_control) {
            self.report(subject, "contains a line break or another control character; remove it");
        } else {
            self.values.insert(variable.name, text.to_owned());
        }
    }

    /// True when something was given under that name, even if it cannot be used.
    fn is_spoken_of(&self, name: &str) -> bool {
        self.values.contains_key(name)
            || self
                .problems
                .iter()
                .any(|problem| problem.subject == name || problem.subject.strip_suffix("_FILE") == Some(name))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    fn secret(&self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    fn promises(&mut self) -> PromiseBook {
        let Some(path) = self.text(SERVICE_LEVELS) else { return PromiseBook::default() };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let advice = format!(
                    "{path} cannot be read ({}); correct the path or its permissions",
                    in_words(&error)
                );
                self.report(SERVICE_LEVELS, advice);
                return PromiseBook::default();
            }
        };
        service_levels::parse(&text).unwrap_or_else(|problems| {
            for problem in problems {
                self.report(SERVICE_LEVELS, format!("{path}: {problem}"));
            }
            PromiseBook::default()
        })
    }

    fn kept_for(&mut self) -> Duration {
        const DAY: Duration = Duration::from_secs(86_400);
        match self.text(KEEP_DAYS).map(|text| text.parse::<u32>()) {
            None => DAY * 30,
            Some(Ok(days @ 2..=3_660)) => DAY * days,
            Some(_) => {
                self.report(KEEP_DAYS, "must be a whole number of days from 2 to 3660");
                DAY * 30
            }
        }
    }

    fn config(&mut self) -> Config {
        let zoom = self.zoom();
        Config {
            zoom,
            listen: self.listen(),
            data_dir: PathBuf::from(self.text(DATA_DIR).unwrap_or_else(|| "./data".to_owned())),
            public_url: self.public_url(),
            time_zone: self.time_zone(),
            promises: self.promises(),
            keep: self.kept_for(),
            log: self.log(),
            recording: None,
            told_before: Vec::new(),
            written_before: Vec::new(),
        }
    }

    fn zoom(&mut self) -> ZoomConfig {
        let oauth_url = self.url(OAUTH_URL, "https://zoom.us/oauth/token", ["https", "http"]);
        let api_url = self.url(API_URL, "https://api.zoom.us/v2", ["https", "http"]);
        let mut ws_url = self.url(WS_URL, "wss://ws.zoom.us/ws", ["wss", "ws"]);
        let in_url = take_query(&mut ws_url, "subscriptionId");
        if take_query(&mut ws_url, "access_token").is_some() {
            self.report(WS_URL, "holds an access_token; remove it, a fresh one is asked for each time");
        }
        let subscription = self.text(SUBSCRIPTION_ID).or(in_url);
        let webhook = self.webhook();
        // Judged by what was given, whatever else is wrong: everything is told at once.
        let says_socket = subscription.is_some() || self.is_spoken_of(SUBSCRIPTION_ID);
        let says_webhook = webhook.secret.is_some()
            || [WEBHOOK_SECRET, WEBHOOK_SECRET_ALIAS].iter().any(|name| self.is_spoken_of(name));
        let app = self.app(subscription.is_some());
        let says_app = app.is_some() || [CLIENT_ID, CLIENT_SECRET].iter().any(|name| self.is_spoken_of(name));
        // What a file that cannot be read holds, nobody knows.
        let is_all_read = self
            .problems
            .iter()
            .all(|problem| VARIABLES.iter().any(|variable| problem.subject.starts_with(variable.name)));
        if is_all_read && !says_webhook && !says_socket {
            if !says_app {
                self.report(
                    "ZOOM_…",
                    format!(
                        "nothing says where events come from; set {ACCOUNT_ID}, {CLIENT_ID}, {CLIENT_SECRET} \
                         and {SUBSCRIPTION_ID} for the event WebSocket, or {WEBHOOK_SECRET} for webhooks \
                         (to look around without Zoom, run `callboard demo`)"
                    ),
                );
            } else {
                self.report(
                    SUBSCRIPTION_ID,
                    format!(
                        "is not set, so no event can arrive; set it to the id of the app's WebSocket event \
                         subscription, or set {WEBHOOK_SECRET} for webhooks"
                    ),
                );
            }
        }
        ZoomConfig {
            account_id: self.text(ACCOUNT_ID),
            app,
            ws_subscription_id: subscription,
            webhook,
            oauth_url,
            api_url,
            ws_url,
            plan: self.plan(),
            api_share: self.api_share(),
            timings: FeedTimings::default(),
        }
    }

    fn log(&mut self) -> String {
        let filter = self.text(LOG).unwrap_or_else(|| "info".to_owned());
        if tracing_subscriber::EnvFilter::try_new(&filter).is_err() {
            self.report(
                LOG,
                "is not a log filter; set it to a level such as info or to info,server=debug".to_owned(),
            );
        }
        filter
    }

    fn app(&mut self, needed_for_socket: bool) -> Option<AppCredentials> {
        let grant = match self.text(GRANT).as_deref() {
            None | Some("account_credentials") => Grant::AccountCredentials,
            Some("client_credentials") => Grant::ClientCredentials,
            Some(_) => {
                self.report(
                    GRANT,
                    "must be account_credentials (Server-to-Server app) or client_credentials",
                );
                Grant::AccountCredentials
            }
        };
        let needs_account = grant == Grant::AccountCredentials;
        let (client_id, client_secret) = (self.text(CLIENT_ID), self.secret(CLIENT_SECRET));
        let account_id = self.text(ACCOUNT_ID);
        // An account id alone only filters webhooks.
        if client_id.is_none() && client_secret.is_none() && !needed_for_socket {
            return None;
        }
        let because =
            if needed_for_socket { "the event WebSocket needs it" } else { "its counterpart is set" };
        let missing = [
            (ACCOUNT_ID, needs_account && account_id.is_none(), "the account id"),
            (CLIENT_ID, client_id.is_none(), "the client id"),
            (CLIENT_SECRET, client_secret.is_none(), "the client secret"),
        ];
        for (name, missing, what) in missing {
            let reported = self.problems.iter().any(|problem| problem.subject.starts_with(name));
            if missing && !reported {
                self.report(name, format!("is not set, but {because}; set it to {what} of the Zoom app"));
            }
        }
        Some(AppCredentials { grant, account_id, client_id: client_id?, client_secret: client_secret? })
    }

    fn webhook(&mut self) -> WebhookConfig {
        let (main, alias) = (self.text(WEBHOOK_SECRET), self.text(WEBHOOK_SECRET_ALIAS));
        if main.is_some() && alias.is_some() && main != alias {
            self.report(WEBHOOK_SECRET_ALIAS, format!("differs from {WEBHOOK_SECRET}; keep only the latter"));
        }
        let secret = main.or(alias).map(SecretString::from);
        let previous_secret = self.secret(WEBHOOK_SECRET_PREVIOUS);
        if secret.is_none() && previous_secret.is_some() {
            self.report(
                WEBHOOK_SECRET_PREVIOUS,
                format!("is set without {WEBHOOK_SECRET}; set that as well"),
            );
        }
        let tolerance = match self.text(WEBHOOK_TOLERANCE).map(|text| text.parse::<u64>()) {
            None => 300,
            Some(Ok(seconds @ 1..=86_400)) => seconds,
            Some(_) => {
                self.report(WEBHOOK_TOLERANCE, "must be a whole number of seconds from 1 to 86400");
                300
            }
        };
        WebhookConfig { secret, previous_secret, tolerance: Duration::from_secs(tolerance) }
    }

    fn plan(&mut self) -> Plan {
        let Some(name) = self.text(PLAN) else { return Plan::default() };
        Plan::parse(&name).unwrap_or_else(|| {
            self.report(
                PLAN,
                "must be pro or business, the plan of the Zoom account (business also for larger ones)",
            );
            Plan::default()
        })
    }

    fn api_share(&mut self) -> Share {
        let Some(text) = self.text(API_SHARE) else { return Share::default() };
        let percent = text.strip_suffix('%').unwrap_or(&text).trim_end().parse().ok();
        percent.and_then(Share::percent).unwrap_or_else(|| {
            self.report(
                API_SHARE,
                "must be a whole number of percent from 1 to 100; the account's other apps use the rest",
            );
            Share::default()
        })
    }

    fn listen(&mut self) -> SocketAddr {
        let default = SocketAddr::from(([127, 0, 0, 1], 8080));
        let Some(text) = self.text(LISTEN) else { return default };
        let normal = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        match normal.as_deref().unwrap_or(&text).parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => address,
            Ok(_) => {
                self.report(
                    LISTEN,
                    "must be a loopback address such as 127.0.0.1:8080, because sign-in does not exist yet and \
                     everyone on the network could read the boards",
                );
                default
            }
            Err(_) => {
                self.report(LISTEN, "must be an IP address and a port, such as 127.0.0.1:8080");
                default
            }
        }
    }

    fn public_url(&mut self) -> Option<Url> {
        let text = self.text(PUBLIC_URL)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Some(url),
            _ => {
                self.report(PUBLIC_URL, "must be an address such as https://board.example.com");
                None
            }
        }
    }

    fn time_zone(&mut self) -> Tz {
        let Some(text) = self.text(TIME_ZONE) else { return Tz::UTC };
        text.parse().unwrap_or_else(|_| {
            self.report(TIME_ZONE, "is not an IANA time zone; write it like Europe/Berlin");
            Tz::UTC
        })
    }

    /// An endpoint. Unencrypted ones only on this machine: credentials go there.
    fn url(&mut self, name: &'static str, default: &'static str, [safe, unsafe_]: [&str; 2]) -> Url {
        let fallback = Url::parse(default).expect("the default endpoints are valid");
        let Some(text) = self.text(name) else { return fallback };
        let advice = match Url::parse(&text) {
            Ok(url) if !url.has_host() || ![safe, unsafe_].contains(&url.scheme()) => {
                format!("must begin with {safe}://, such as {default}")
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds a user name or password; remove it".to_owned()
            }
            Ok(url) if url.scheme() == unsafe_ && !is_loopback(&url) => {
                format!(
                    "would send credentials unencrypted; use {safe}:// ({unsafe_}:// only for this machine)"
                )
            }
            Ok(url) => return url,
            Err(_) => format!("is not a valid address; write it like {default}"),
        };
        self.report(name, advice);
        fallback
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Takes one parameter out of the query.
fn take_query(url: &mut Url, name: &str) -> Option<String> {
    let (taken, kept): (Vec<_>, Vec<_>) = url.query_pairs().into_owned().partition(|(key, _)| key == name);
    let value = taken.into_iter().next()?.1;
    if kept.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    Some(value)
}

#[cfg(test)]
mod tests;
