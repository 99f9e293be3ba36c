use std::{collections::VecDeque, sync::Mutex as StdMutex};

use axum::{
    Router,
    extract::{Request as HttpRequest, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

#[test]
fn only_zoom_itself_says_that_something_is_gone() {
    let answered = |body: &str| failure("a call's path", StatusCode::NOT_FOUND, body.as_bytes()).is_gone();
    assert!(answered(r#"{"code":404,"message":"Call history does not exist."}"#));
    assert!(!answered("<html><h1>Not Found</h1></html>") && !answered("") && !answered("{}"));
}
use crate::{
    config::{AppCredentials, FeedTimings, Grant},
    zoom::http_client,
};

/// Status, headers and body.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// An API that gives prepared answers and remembers what it was asked.
#[derive(Clone, Default)]
struct Api {
    shared: Arc<ApiShared>,
}

#[derive(Default)]
struct ApiShared {
    script: StdMutex<VecDeque<Answer>>,
    asked: StdMutex<Vec<(String, String)>>,
    tokens: StdMutex<u32>,
}

async fn answer(State(api): State<Api>, headers: HeaderMap, request: HttpRequest) -> Response {
    if request.uri().path() == "/token" {
        let mut tokens = api.shared.tokens.lock().unwrap();
        *tokens += 1;
        return json!({ "access_token": format!("token-{tokens}") }).to_string().into_response();
    }
    let bearer = headers["authorization"].to_str().unwrap().to_owned();
    api.shared.asked.lock().unwrap().push((request.uri().to_string(), bearer));
    let (status, extra, body) = api.shared.script.lock().unwrap().pop_front().expect("one more answer");
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in extra {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

impl Api {
    async fn start(script: Vec<Answer>) -> (Self, RestClient) {
        let api = Self::default();
        *api.shared.script.lock().unwrap() = script.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(api.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        let credentials = AppCredentials {
            grant: Grant::ClientCredentials,
            account_id: None,
            client_id: "cli".to_owned(),
            client_secret: SecretString::from("canary-secret"),
        };
        let url = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
        let http = http_client().unwrap();
        let tokens = Tokens::new(http.clone(), url("/token"), credentials, FeedTimings::default());
        (api, RestClient::new(http, url("/v2"), tokens))
    }

    fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().iter().map(|(uri, _)| uri.clone()).collect()
    }
}

fn plain(status: u16, body: Value) -> Answer {
    (status, Vec::new(), body.to_string())
}

const THING: Request<'static> =
    Request { what: "a thing", path: &["things", "a/b?c"], category: Category::Light };

async fn read(rest: &RestClient) -> Result<Value, RestError> {
    rest.read(THING, &[]).await
}

#[derive(Deserialize)]
struct Things {
    things: Vec<String>,
    next_page_token: Option<String>,
}

impl Page for Things {
    type Row = String;

    fn into_parts(self) -> (Vec<String>, Option<String>) {
        (self.things, self.next_page_token)
    }

    fn id(row: &String) -> &str {
        row
    }
}

async fn list(rest: &RestClient) -> Result<Rows<String>, RestError> {
    rest.list::<Things>(Request { path: &["things"], ..THING }, Some(2)).await
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once() {
    let rejected = || plain(401, json!({ "code": 124, "message": "Invalid access token." }));
    let (api, rest) = Api::start(vec![rejected(), plain(200, json!({ "ok": 1 }))]).await;
    assert_eq!(read(&rest).await.unwrap(), json!({ "ok": 1 }));
    let asked = api.shared.asked.lock().unwrap().clone();
    assert_eq!(asked[0], ("/v2/things/a%2Fb%3Fc".to_owned(), "Bearer token-1".to_owned()));
    assert_eq!(asked[1].1, "Bearer token-2");

    let (api, rest) = Api::start(vec![rejected(), rejected()]).await;
    let error = read(&rest).await.unwrap_err();
    assert!(matches!(error, RestError::Refused { status: 401, code: Some(124), .. }), "{error}");
    assert_eq!(api.asked().len(), 2);
}

#[tokio::test]
async fn errors_say_what_to_do() {
    for (status, body, expected) in [
        (403, json!({ "code": 2031, "message": "Zoom Phone is not enabled" }), "scopes"),
        (400, json!({ "code": 4711, "message": "does not contain scopes:[x]" }), "scopes"),
        (404, json!({ "code": 13000, "message": "Call queue does not exist" }), "13000"),
        (400, json!("odd"), "HTTP 400"),
        (500, json!("<html>oops</html>"), "status.zoom.us"),
        (302, json!(null), "status.zoom.us"),
    ] {
        let (_api, rest) = Api::start(vec![plain(status, body)]).await;
        let error = read(&rest).await.unwrap_err().to_string();
        assert!(error.starts_with("read a thing") && error.contains(expected), "{error}");
        assert!(!error.contains("<html>"), "{error}");
    }
    let html = (200, vec![], "<html>Sign in</html>".to_owned());
    let (_api, rest) = Api::start(vec![html]).await;
    assert!(matches!(read(&rest).await, Err(RestError::Garbled { .. })));
}

#[tokio::test]
async fn a_limit_per_second_is_waited_out() {
    let limited = |headers| (429, headers, json!({ "message": "too many requests" }).to_string());
    let at_once = clock::format_rfc3339(clock::now());
    let (api, rest) = Api::start(vec![
        limited(vec![("retry-after", "0".to_owned())]),
        limited(vec![("retry-after", at_once)]),
        plain(200, json!(1)),
    ])
    .await;
    assert_eq!(read(&rest).await.unwrap(), json!(1));
    assert_eq!(api.asked().len(), 3);

    let (_api, rest) = Api::start(vec![limited(vec![("retry-after", "3600".to_owned())])]).await;
    let error = read(&rest).await.unwrap_err();
    let pause = error.asked_pause(clock::now()).unwrap();
    assert!(matches!(error, RestError::TooMany { .. }) && pause == LONGEST_ASKED, "{error}");
}

#[tokio::test]
async fn a_used_up_day_stops_its_category() {
    let until = clock::now() + Duration::from_secs(7_200);
    for (headers, message) in [
        (vec![("x-ratelimit-type", "Daily-limit".to_owned())], "limit"),
        (vec![("retry-after", clock::format_rfc3339(until))], "You reached the DAILY limit"),
        (vec![], "daily rate limit"),
    ] {
        let body = json!({ "message": message }).to_string();
        let (api, rest) = Api::start(vec![(429, headers, body)]).await;
        for _ in 0..2 {
            let error = read(&rest).await.unwrap_err();
            assert!(matches!(error, RestError::UsedUp { .. }), "{error}");
        }
        assert_eq!(api.asked().len(), 1);
    }
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_each_row_once() {
    let (api, rest) =
        Api::start(vec![page(&["a", "b"], "t/1"), page(&["b", "c"], "t2"), page(&[], "")]).await;
    assert_eq!(list(&rest).await.unwrap(), whole(&["a", "b", "c"]));
    assert_eq!(
        api.asked(),
        [
            "/v2/things?page_size=2",
            "/v2/things?page_size=2&next_page_token=t%2F1",
            "/v2/things?page_size=2&next_page_token=t2",
        ]
    );
}

fn page(things: &[&str], next: &str) -> Answer {
    plain(200, json!({ "things": things, "next_page_token": next }))
}

fn whole(rows: &[&str]) -> Rows<String> {
    Rows::Whole(rows.iter().map(|row| (*row).to_owned()).collect())
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_are_read_once_more_and_are_never_taken_for_all() {
    let circle = [page(&["a"], "t"), page(&["b"], "t"), page(&["a", "c"], "t"), page(&["b"], "t")];
    let (api, rest) = Api::start(circle.into()).await;
    let rows = list(&rest).await.unwrap();
    assert_eq!(rows, Rows::Partial(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
    assert_eq!(rows.whole("the things"), Err(RestError::Partial { what: "the things" }));
    assert_eq!(api.asked().len(), 4);
    assert!(!api.asked()[2].contains("next_page_token"), "it begins at the first page");
    // The second way may come to an end.
    let circle = [page(&["a"], "t"), page(&["b"], "t"), page(&["a"], "t"), page(&["b"], "")];
    let (_api, rest) = Api::start(circle.into()).await;
    assert_eq!(list(&rest).await.unwrap(), whole(&["a", "b"]));
}

#[tokio::test]
async fn a_list_that_is_cut_off_is_not_taken_for_all() {
    let rows: Vec<String> = (0..=MOST_ROWS).map(|row| row.to_string()).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (api, rest) = Api::start(vec![page(&rows, "t")]).await;
    let Rows::Partial(read) = list(&rest).await.unwrap() else { panic!("taken for all") };
    assert_eq!((read.len(), api.asked().len()), (MOST_ROWS + 1, 1));
}

#[tokio::test]
async fn a_list_whose_page_token_expired_is_read_anew() {
    for code in [300, 400] {
        let expired = || plain(400, json!({ "code": code, "message": "The next page token is invalid." }));
        let script = vec![page(&["a"], "t1"), expired(), page(&["a"], "t2"), page(&["b"], "")];
        let (api, rest) = Api::start(script).await;
        assert_eq!(list(&rest).await.unwrap(), whole(&["a", "b"]));
        assert_eq!(api.asked().len(), 4);
        // Not for ever.
        let again = || [page(&["a"], "t"), expired()];
        let (api, rest) = Api::start([again(), again(), again()].into_iter().flatten().collect()).await;
        let error = list(&rest).await.unwrap_err();
        assert!(matches!(error, RestError::Unanswered { status: 400, .. }), "{error}");
        assert_eq!(api.asked().len(), 6);
    }
    // On the first page it means something else.
    let (api, rest) = Api::start(vec![plain(400, json!({ "code": 300 }))]).await;
    assert!(list(&rest).await.is_err());
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn a_token_that_ends_between_pages_costs_one_request() {
    let script = vec![page(&["a"], "t"), plain(401, json!({ "code": 124 })), page(&["b"], "")];
    let (api, rest) = Api::start(script).await;
    assert_eq!(list(&rest).await.unwrap(), whole(&["a", "b"]));
    let asked = api.shared.asked.lock().unwrap().clone();
    assert_eq!(asked[1].0, asked[2].0, "the same page again");
    assert_ne!(asked[1].1, asked[2].1, "with another token");
}

#[tokio::test]
async fn identical_requests_under_way_are_one() {
    let (api, rest) = Api::start(vec![plain(200, json!(1)), plain(200, json!(2))]).await;
    let both = futures_util::future::join(read(&rest), read(&rest)).await;
    assert_eq!((both.0.unwrap(), both.1.unwrap()), (json!(1), json!(1)));
    assert_eq!(api.asked().len(), 1);
    assert_eq!(read(&rest).await.unwrap(), json!(2), "what has ended is asked again");
    // Urgent ones do not wait behind others.
    let (api, rest) = Api::start(vec![plain(200, json!(1)), plain(200, json!(2))]).await;
    let (later, now) = (rest.at(Priority::Periodic), rest.at(Priority::Repair));
    let both = futures_util::future::join(read(&later), read(&now)).await;
    assert!(both.0.is_ok() && both.1.is_ok());
    assert_eq!(api.asked().len(), 2);
    // Who gives up does not take the answer from the other.
    let (api, rest) = Api::start(vec![plain(200, json!(1))]).await;
    let (mut given_up, waiting) = (Box::pin(read(&rest)), read(&rest));
    tokio::select! { biased;
        _ = &mut given_up => panic!("nothing has been sent yet"),
        () = std::future::ready(()) => {}
    }
    let waiting = futures_util::future::join(waiting, async { drop(given_up) });
    assert_eq!(waiting.await.0.unwrap(), json!(1));
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn an_api_in_trouble_is_left_alone() {
    let html = || (503, vec![], "<html>Service Unavailable</html>".to_owned());
    let (api, rest) = Api::start((0..5).map(|_| html()).collect()).await;
    for _ in 0..5 {
        assert!(matches!(read(&rest).await, Err(RestError::Unavailable { status: 503, .. })));
    }
    let error = read(&rest).await.unwrap_err();
    assert!(matches!(error, RestError::Resting { .. }), "{error}");
    assert!(error.asked_pause(clock::now()).unwrap() > Duration::from_secs(5));
    assert_eq!(api.asked().len(), 5);
}

#[tokio::test]
async fn a_failing_page_fails_the_list() {
    let (_api, rest) = Api::start(vec![
        plain(200, json!({ "things": ["a"], "next_page_token": "t" })),
        plain(404, json!({ "code": 300, "message": "gone" })),
    ])
    .await;
    assert!(matches!(list(&rest).await, Err(RestError::Unanswered { status: 404, .. })));
}
