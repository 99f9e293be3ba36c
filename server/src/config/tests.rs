use std::{collections::HashMap, fs};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

type Pairs<'a> = &'a [(&'a str, &'a str)];

const APP: Pairs<'static> = &[
    ("ZOOM_ACCOUNT_ID", "acc"),
    ("ZOOM_CLIENT_ID", "cli"),
    ("ZOOM_CLIENT_SECRET", "canary-1"),
    ("ZOOM_WS_SUBSCRIPTION_ID", "sub"),
];

fn load_with(pairs: Pairs<'_>, file: Option<&Path>) -> Result<Config, ConfigErrors> {
    let map: HashMap<_, _> = pairs.iter().copied().collect();
    Config::load(|name| map.get(name).map(|value| (*value).to_owned()), file)
}

fn load(pairs: Pairs<'_>) -> Result<Config, ConfigErrors> {
    load_with(pairs, None)
}

fn plus<'a>(base: Pairs<'a>, more: Pairs<'a>) -> Vec<(&'a str, &'a str)> {
    base.iter().chain(more).copied().collect()
}

/// The variables that are complained about.
fn subjects(outcome: Result<Config, ConfigErrors>) -> Vec<String> {
    let errors = outcome.expect_err("a bad configuration");
    errors.problems.into_iter().map(|problem| problem.subject).collect()
}

#[test]
fn defaults_are_what_the_documents_say() {
    let config = load(APP).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir, Path::new("./data"));
    assert_eq!((config.time_zone, config.log.as_str()), (Tz::UTC, "info"));
    assert_eq!(config.public_url, None);
    let zoom = config.zoom;
    assert_eq!(zoom.oauth_url.as_str(), "https://zoom.us/oauth/token");
    assert_eq!(zoom.api_url.as_str(), "https://api.zoom.us/v2");
    assert_eq!(zoom.ws_url.as_str(), "wss://ws.zoom.us/ws");
    assert_eq!(zoom.ws_subscription_id.as_deref(), Some("sub"));
    assert_eq!(zoom.webhook.tolerance, Duration::from_secs(300));
    assert_eq!((zoom.plan, zoom.api_share), (Plan::Pro, Share::percent(50).unwrap()));
    let app = zoom.app.unwrap();
    assert_eq!((app.grant, app.client_id.as_str()), (Grant::AccountCredentials, "cli"));
    assert_eq!(app.client_secret.expose_secret(), "canary-1");
}

#[test]
fn plan_and_share_are_read_or_complained_about() {
    let zoom = |plan, share| load(&plus(APP, &[("ZOOM_PLAN", plan), ("ZOOM_API_SHARE", share)]));
    let read = zoom("Business", "80 %").unwrap().zoom;
    assert_eq!((read.plan, read.api_share), (Plan::Business, Share::percent(80).unwrap()));
    for (plan, share) in [("free", "0"), ("enterprise", "101"), ("2", "half"), ("prò", "0.5")] {
        assert_eq!(subjects(zoom(plan, share)), ["ZOOM_PLAN", "ZOOM_API_SHARE"]);
    }
}

#[test]
fn nothing_configured_names_what_to_set() {
    let errors = load(&[]).unwrap_err().to_string();
    for name in
        ["ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_SECRET", "ZOOM_WS_SUBSCRIPTION_ID", "ZOOM_WEBHOOK_SECRET_TOKEN"]
    {
        assert!(errors.contains(name), "{name} in {errors}");
    }
}

#[test]
fn a_server_may_live_on_webhooks_alone() {
    for name in ["ZOOM_WEBHOOK_SECRET_TOKEN", "ZOOM_WEBHOOK_SECRET"] {
        let config = load(&[(name, "canary-2"), ("ZOOM_ACCOUNT_ID", "acc")]).unwrap();
        assert!(config.zoom.app.is_none() && config.zoom.ws_subscription_id.is_none());
        assert_eq!(config.zoom.webhook.secret.unwrap().expose_secret(), "canary-2");
        assert_eq!(config.zoom.account_id.as_deref(), Some("acc"));
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let outcome = load(&[
        ("ZOOM_WS_SUBSCRIPTION_ID", "sub"),
        ("ZOOM_OAUTH_GRANT", "password"),
        ("ZOOM_OAUTH_URL", "http://zoom.example/oauth"),
        ("ZOOM_API_URL", "api.zoom.us"),
        ("ZOOM_WS_URL", "https://ws.zoom.us/ws"),
        ("ZOOM_WEBHOOK_TOLERANCE_SECONDS", "-1"),
        ("ZOOM_WEBHOOK_SECRET_TOKEN_PREVIOUS", "old"),
        ("CALLBOARD_LISTEN", "0.0.0.0:80"),
        ("CALLBOARD_PUBLIC_URL", "board"),
        ("CALLBOARD_TIME_ZONE", "Mars/Olympus"),
    ]);
    let mut found = subjects(outcome);
    found.sort();
    let mut expected = [
        "CALLBOARD_LISTEN",
        "CALLBOARD_PUBLIC_URL",
        "CALLBOARD_TIME_ZONE",
        "ZOOM_ACCOUNT_ID",
        "ZOOM_API_URL",
        "ZOOM_CLIENT_ID",
        "ZOOM_CLIENT_SECRET",
        "ZOOM_OAUTH_GRANT",
        "ZOOM_OAUTH_URL",
        "ZOOM_WEBHOOK_SECRET_TOKEN_PREVIOUS",
        "ZOOM_WEBHOOK_TOLERANCE_SECONDS",
        "ZOOM_WS_URL",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn what_is_missing_is_told_beside_what_is_wrong() {
    let outcome = load(&[
        ("ZOOM_ACCOUNT_ID", "acc"),
        ("ZOOM_API_SHARE", "none"),
        ("CALLBOARD_LISTEN", "everywhere"),
        ("CALLBOARD_TIME_ZONE", "Mars/Olympus"),
    ]);
    let mut found = subjects(outcome);
    found.sort();
    assert_eq!(found, ["CALLBOARD_LISTEN", "CALLBOARD_TIME_ZONE", "ZOOM_API_SHARE", "ZOOM_…"]);
}

#[test]
fn half_an_app_is_an_error() {
    assert_eq!(
        subjects(load(&[("ZOOM_CLIENT_ID", "cli")])),
        ["ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_SECRET", "ZOOM_WS_SUBSCRIPTION_ID"]
    );
    assert_eq!(
        subjects(load(&[("ZOOM_WS_SUBSCRIPTION_ID", "s"), ("ZOOM_OAUTH_GRANT", "client_credentials")])),
        ["ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET"],
        "a General app needs no account id"
    );
    assert_eq!(subjects(load(&APP[..3])), ["ZOOM_WS_SUBSCRIPTION_ID"], "no event could arrive");
}

#[test]
fn only_this_machine_may_look_as_long_as_nobody_signs_in() {
    let listen = |address: &str| load(&plus(APP, &[("CALLBOARD_LISTEN", address)]));
    for (address, expected) in
        [("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:9000", "[::1]:9000"), ("localhost:81", "127.0.0.1:81")]
    {
        assert_eq!(listen(address).unwrap().listen.to_string(), expected);
    }
    for address in ["0.0.0.0:8080", "192.168.1.5:8080", "[::]:8080"] {
        let error = listen(address).unwrap_err().to_string();
        assert!(error.contains("sign-in does not exist yet"), "{error}");
    }
    for address in ["8080", "example.com:80", "127.0.0.1"] {
        assert!(listen(address).unwrap_err().to_string().contains("IP address and a port"));
    }
}

#[test]
fn unencrypted_endpoints_only_on_this_machine() {
    let oauth = |url: &str| load(&plus(APP, &[("ZOOM_OAUTH_URL", url)])).is_ok();
    assert!(
        oauth("http://127.0.0.1:9000/oauth/token") && oauth("http://localhost:1/") && oauth("http://[::1]/")
    );
    assert!(!oauth("http://10.0.0.1/oauth/token") && !oauth("http://zoom.us/oauth/token"));
    assert!(!oauth("https://user:pass@zoom.us/oauth/token") && !oauth("ftp://zoom.us/"));
}

#[test]
fn the_whole_endpoint_as_zoom_shows_it_is_accepted() {
    let base = &APP[..3];
    let url = "wss://ws.zoom.us/ws?subscriptionId=from-url&x=1";
    let zoom = load(&plus(base, &[("ZOOM_WS_URL", url)])).unwrap().zoom;
    assert_eq!(zoom.ws_subscription_id.as_deref(), Some("from-url"));
    assert_eq!(zoom.ws_url.as_str(), "wss://ws.zoom.us/ws?x=1");
    let with_token = plus(APP, &[("ZOOM_WS_URL", "wss://ws.zoom.us/ws?access_token=canary-3")]);
    let error = load(&with_token).unwrap_err().to_string();
    assert!(error.contains("ZOOM_WS_URL") && !error.contains("canary"), "{error}");
}

#[test]
fn secrets_come_from_files_and_never_show() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("good"), "canary-4\n").unwrap();
    fs::write(path("empty"), "\n").unwrap();
    let with = |path: &str| load(&plus(&[APP[0], APP[1], APP[3]], &[("ZOOM_CLIENT_SECRET_FILE", path)]));
    let config = with(&path("good")).unwrap();
    assert_eq!(config.zoom.app.as_ref().unwrap().client_secret.expose_secret(), "canary-4");
    assert!(!format!("{config:?}").contains("canary"));
    assert_eq!(subjects(with(&path("empty"))), ["ZOOM_CLIENT_SECRET_FILE"]);
    assert_eq!(subjects(with(&path("missing"))), ["ZOOM_CLIENT_SECRET_FILE"]);
    let both = plus(APP, &[("ZOOM_CLIENT_SECRET_FILE", "x")]);
    assert_eq!(subjects(load(&both)), ["ZOOM_CLIENT_SECRET"]);
}

#[test]
fn both_names_of_the_webhook_secret_must_agree() {
    let load = |alias: &str| load(&[("ZOOM_WEBHOOK_SECRET_TOKEN", "one"), ("ZOOM_WEBHOOK_SECRET", alias)]);
    assert!(load("one").is_ok());
    assert_eq!(subjects(load("two")), ["ZOOM_WEBHOOK_SECRET"]);
}

#[test]
fn the_file_fills_what_the_environment_leaves_open() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("callboard.toml");
    fs::write(
        &path,
        "ZOOM_WEBHOOK_SECRET_TOKEN = \"canary-5\"\nZOOM_WEBHOOK_TOLERANCE_SECONDS = 60\n\
         CALLBOARD_TIME_ZONE = \"Europe/Berlin\"\nCALLBOARD_LOG = \"debug\"\n",
    )
    .unwrap();
    let config = load_with(&[("CALLBOARD_LOG", "warn"), ("CALLBOARD_TIME_ZONE", " ")], Some(&path)).unwrap();
    assert_eq!(config.log, "warn");
    assert_eq!(config.time_zone, Tz::Europe__Berlin, "an empty variable is no variable");
    assert_eq!(config.zoom.webhook.tolerance, Duration::from_secs(60));
    let by_variable = load(&[("CALLBOARD_CONFIG", path.to_str().unwrap())]).unwrap();
    assert_eq!(by_variable.log, "debug");
}

#[test]
fn a_bad_file_is_described_without_quoting_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("callboard.toml");
    let check = |content: &str, expected: &str| {
        fs::write(&path, content).unwrap();
        let error = load_with(APP, Some(&path)).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("canary"), "{error}");
    };
    check("CALLBOARD_LOG = \"info\"\nZOOM_CLIENT_SECRET = canary-6\n", "line 2");
    check("ZOOM_CLEINT_ID = \"x\"\n", "does not know ZOOM_CLEINT_ID");
    check("CALLBOARD_LOG_FILE = \"x\"\n", "does not know CALLBOARD_LOG_FILE");
    check("CALLBOARD_LOG = [1]\n", "must be a text");
    let missing = folder.path().join("missing.toml");
    assert!(load_with(APP, Some(&missing)).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    let secret = |value: &str| load(&plus(APP, &[("ZOOM_WEBHOOK_SECRET_TOKEN", value)]));
    assert_eq!(subjects(secret("a\nb")), ["ZOOM_WEBHOOK_SECRET_TOKEN"]);
    assert_eq!(subjects(secret("a\u{fffd}b")), ["ZOOM_WEBHOOK_SECRET_TOKEN"]);
}

#[test]
fn every_variable_is_written_down() {
    let told = include_str!("../../../ARCHITECTURE.md");
    for name in VARIABLES.iter().map(|variable| variable.name).chain([CONFIG_FILE]) {
        assert!(told.contains(&format!("`{name}`")), "ARCHITECTURE.md does not tell of {name}");
    }
}

#[test]
fn what_is_promised_comes_from_a_file_of_its_own() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("promises.toml");
    let load =
        || load(&[("ZOOM_WEBHOOK_SECRET_TOKEN", "x"), ("CALLBOARD_SERVICE_LEVELS", path.to_str().unwrap())]);
    assert_eq!(subjects(load()), ["CALLBOARD_SERVICE_LEVELS"], "it is not there");
    fs::write(&path, "[[service_level]]\nqueue = \"801\"\nthreshold_seconds = 30\n").unwrap();
    let promises = load().unwrap().promises;
    assert_eq!(promises.entries.len(), 1);
    fs::write(&path, "[[service_level]]\ntarget_percent = 101\n\n[[service_level]]\ndefinition = \"best\"\n")
        .unwrap();
    assert_eq!(subjects(load()), ["CALLBOARD_SERVICE_LEVELS"; 2]);
}

#[test]
fn misspelt_variables_are_noticed() {
    let names =
        ["ZOOM_CLIENT_SECRT", "ZOOM_CLIENT_SECRET_FILE", "CALLBOARD_LISTEN", "CALLBOARD_CONFIG", "PATH"];
    assert_eq!(unknown(names.into_iter().map(str::to_owned)), ["ZOOM_CLIENT_SECRT"]);
    assert_eq!(unknown(["CALLBOARD_PORT", "ZOOMED"].into_iter().map(str::to_owned)), ["CALLBOARD_PORT"]);
}
