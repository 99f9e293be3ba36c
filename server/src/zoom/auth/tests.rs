use std::{
    collections::VecDeque,
    sync::{
        Mutex as StdMutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use axum::{
    Form, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

const SECRET: &str = "canary-client-secret";

/// A token endpoint that gives its prepared answers, then good ones.
#[derive(Clone, Default)]
struct Endpoint {
    shared: Arc<EndpointShared>,
}

#[derive(Default)]
struct EndpointShared {
    script: StdMutex<VecDeque<Answers>>,
    asked: AtomicUsize,
    forms: StdMutex<Vec<Vec<(String, String)>>>,
    authorization: StdMutex<Option<String>>,
}

enum Answers {
    With(StatusCode, String),
    After(StatusCode, &'static str),
    Never,
}

async fn answer(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let shared = &endpoint.shared;
    let number = shared.asked.fetch_add(1, SeqCst);
    shared.forms.lock().unwrap().push(form);
    *shared.authorization.lock().unwrap() =
        headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let scripted = shared.script.lock().unwrap().pop_front();
    match scripted {
        Some(Answers::With(status, body)) => (status, body).into_response(),
        Some(Answers::After(status, wait)) => (status, [("retry-after", wait)]).into_response(),
        Some(Answers::Never) => std::future::pending().await,
        None => json!({ "access_token": format!("token-{number}"), "expires_in": 3600 })
            .to_string()
            .into_response(),
    }
}

impl Endpoint {
    async fn start(script: impl IntoIterator<Item = Answers>) -> (Self, Url) {
        let endpoint = Self::default();
        endpoint.shared.script.lock().unwrap().extend(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oauth/token", listener.local_addr().unwrap());
        let app = Router::new().route("/oauth/token", post(answer)).with_state(endpoint.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        (endpoint, Url::parse(&url).unwrap())
    }

    fn asked(&self) -> usize {
        self.shared.asked.load(SeqCst)
    }
}

fn tokens_with(url: Url, grant: Grant, timings: FeedTimings) -> Tokens {
    let credentials = AppCredentials {
        grant,
        account_id: Some("acc".to_owned()),
        client_id: "cli".to_owned(),
        client_secret: SecretString::from(SECRET),
    };
    Tokens::new(super::super::http_client().unwrap(), url, credentials, timings)
}

fn tokens(url: Url) -> Tokens {
    tokens_with(url, Grant::AccountCredentials, FeedTimings::default())
}

fn impatient() -> FeedTimings {
    FeedTimings {
        back_off_first: Duration::ZERO,
        back_off_longest: Duration::ZERO,
        token: Duration::from_millis(200),
        ..FeedTimings::default()
    }
}

#[tokio::test]
async fn one_request_serves_everyone_until_the_token_is_old() {
    let (endpoint, url) = Endpoint::start([]).await;
    let tokens = tokens(url);
    let (first, second, third) = tokio::join!(tokens.token(), tokens.token(), tokens.token());
    let first = first.unwrap();
    assert_eq!((first.expose(), second.unwrap().expose()), ("token-0", "token-0"));
    assert_eq!(third.unwrap().expose(), "token-0");
    assert_eq!(endpoint.asked(), 1);
    let left = first.expires_at - first.renew_at;
    assert_eq!(left, Duration::from_secs(300), "renewed five minutes early");

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_400)).await;
    tokio::time::resume();
    assert_eq!(tokens.token().await.unwrap().expose(), "token-1");
}

#[tokio::test]
async fn the_request_says_what_zoom_expects() {
    let (endpoint, url) = Endpoint::start([]).await;
    tokens(url.clone()).token().await.unwrap();
    tokens_with(url, Grant::ClientCredentials, FeedTimings::default()).token().await.unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        *endpoint.shared.forms.lock().unwrap(),
        [
            vec![pair("grant_type", "account_credentials"), pair("account_id", "acc")],
            vec![pair("grant_type", "client_credentials")],
        ]
    );
    let expected = format!("Basic {}", STANDARD.encode(format!("cli:{SECRET}")));
    assert_eq!(*endpoint.shared.authorization.lock().unwrap(), Some(expected));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_who_complain() {
    let (endpoint, url) = Endpoint::start([]).await;
    let tokens = tokens(url);
    let refused = tokens.token().await.unwrap();
    let (first, second) = tokio::join!(tokens.another(&refused), tokens.another(&refused));
    assert_eq!((first.unwrap().expose(), second.unwrap().expose()), ("token-1", "token-1"));
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn wrong_credentials_are_explained_and_not_tried_again_at_once() {
    for status in [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED] {
        let body = json!({ "reason": format!("bad {SECRET}\n"), "error": "invalid_client" }).to_string();
        let (endpoint, url) = Endpoint::start([Answers::With(status, body)]).await;
        let tokens = tokens(url);
        let error = tokens.token().await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, AuthError::Refused { .. }), "{text}");
        assert!(text.contains("invalid_client") && text.contains("ZOOM_CLIENT_SECRET"), "{text}");
        assert!(!text.contains("canary") && !format!("{error:?}").contains("canary"), "{text}");

        assert_eq!(tokens.token().await.unwrap_err(), error);
        assert_eq!(endpoint.asked(), 1, "the same answer without asking");
        let pause = tokens.next_attempt().await - Instant::now();
        assert!(pause > Duration::from_secs(29), "{pause:?}");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        tokio::time::resume();
        assert!(tokens.token().await.is_ok());
        assert_eq!(endpoint.asked(), 2);
    }
}

#[tokio::test]
async fn trouble_at_the_endpoint_is_told_apart_and_passes() {
    let html = "<html>502 Bad Gateway</html>".to_owned();
    let (_endpoint, url) = Endpoint::start([
        Answers::With(StatusCode::BAD_GATEWAY, html.clone()),
        Answers::With(StatusCode::OK, html),
        Answers::With(StatusCode::OK, r#"{"access_token":" "}"#.to_owned()),
        Answers::With(StatusCode::OK, "x".repeat(200_000)),
        Answers::With(StatusCode::FOUND, String::new()),
        Answers::Never,
    ])
    .await;
    let tokens = tokens_with(url, Grant::AccountCredentials, impatient());
    let mut errors = Vec::new();
    for _ in 0..6 {
        errors.push(tokens.token().await.unwrap_err());
    }
    assert!(matches!(errors[0], AuthError::Unavailable { status: 502, .. }), "{}", errors[0]);
    for error in &errors[1..4] {
        assert!(matches!(error, AuthError::NoToken { .. }), "{error}");
    }
    assert!(matches!(errors[4], AuthError::Unavailable { status: 302, .. }), "{}", errors[4]);
    assert!(matches!(errors[5], AuthError::TimedOut { .. }), "{}", errors[5]);
    assert!(tokens.token().await.is_ok());
}

#[test]
fn what_failed_is_told_in_words() {
    let said = |error: io::Error| innermost(&error);
    assert_eq!(said(ErrorKind::NetworkUnreachable.into()), "unreachable: no way leads to that address");
    assert_eq!(said(ErrorKind::ConnectionReset.into()), "the connection was cut");
    assert_eq!(
        said(io::Error::other("invalid peer certificate: Expired")),
        "invalid peer certificate: Expired"
    );
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/oauth/token?account_id=x", listener.local_addr().unwrap());
    drop(listener);
    let error = tokens(Url::parse(&url).unwrap()).token().await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, AuthError::Unreachable { .. }), "{text}");
    assert!(text.contains("ZOOM_OAUTH_URL") && !text.contains("account_id"), "{text}");
    assert!(text.contains("(connection refused: nothing listens at that address)"), "{text}");
}

/// The libraries' own errors: a new version may word them otherwise.
#[tokio::test]
async fn a_name_without_an_address_and_an_answer_without_tls_are_told_apart() {
    // No network knows a name that ends so, and none is needed to say so.
    let nowhere = tokens(Url::parse("https://x.invalid/oauth/token").unwrap());
    let text = nowhere.token().await.unwrap_err().to_string();
    assert!(text.contains("(DNS gave no address for that name: "), "{text}");
    assert!(!text.contains("lookup"), "{text}");

    let (_endpoint, mut url) = Endpoint::start([]).await;
    url.set_scheme("https").unwrap();
    let text = tokens(url).token().await.unwrap_err().to_string();
    assert!(text.contains("(what answers there does not speak TLS)"), "{text}");
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept() {
    let (endpoint, url) = Endpoint::start([Answers::After(StatusCode::SERVICE_UNAVAILABLE, "120")]).await;
    let tokens = tokens_with(url, Grant::AccountCredentials, impatient());
    assert!(tokens.token().await.is_err());
    assert!(tokens.token().await.is_err());
    assert_eq!(endpoint.asked(), 1);
    assert!(tokens.next_attempt().await - Instant::now() > Duration::from_secs(110));
}

#[tokio::test]
async fn an_old_token_serves_while_no_new_one_is_to_be_had() {
    let short = r#"{"access_token":"short","expires_in":"1000"}"#.to_owned();
    let refusal = Answers::With(StatusCode::UNAUTHORIZED, String::new());
    let (endpoint, url) = Endpoint::start([Answers::With(StatusCode::OK, short), refusal]).await;
    let tokens = tokens(url);
    let token = tokens.token().await.unwrap();
    assert_eq!(token.expires_at - token.renew_at, Duration::from_secs(200), "a fifth of a short life");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(900)).await;
    tokio::time::resume();
    assert_eq!(tokens.token().await.unwrap().expose(), "short");
    assert_eq!(tokens.token().await.unwrap().expose(), "short");
    assert!(tokens.fresh().await.is_err(), "to connect anew with the old one would gain nothing");
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn secrets_do_not_show() {
    let (_endpoint, url) = Endpoint::start([]).await;
    let tokens = tokens(url);
    let token = tokens.token().await.unwrap();
    let shown = format!("{tokens:?} {token:?}");
    assert!(!shown.contains("canary") && !shown.contains("token-0"), "{shown}");
}

#[test]
fn what_an_endpoint_echoes_is_masked() {
    let said = |text: &str| Said::quote(text).display();
    assert_eq!(said("got Basic Y2xpOmNhbmFyeS1zZWNyZXQtY2FuYXJ5"), ", \"got Basic ***\"");
    assert_eq!(
        said("{\"authorization\":\"Bearer eyJhbGciOiJIUzI1NiJ9.e30.abcdefgh\"}"),
        ", \"{\"authorization\":\"Bearer ***\"}\""
    );
    let scope = "does not contain scopes:[phone:read:list_call_queue_members:admin]";
    assert_eq!(said(scope), format!(", \"{scope}\""));
}
