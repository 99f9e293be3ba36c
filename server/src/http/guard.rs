//! What every answer carries: the content security policy and the usual headers.
//! What every request must satisfy: it names this machine.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};

use super::{error::problem, pages, router::AppState};

/// Pages hold no script and no style of their own, so none is allowed: what is embedded runs, nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// When whoever could not be answered now, be it with a page or with JSON, may come again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// Sets the headers of every answer.
pub(super) async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_for_now = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    if is_for_now {
        headers.entry(header::RETRY_AFTER).or_insert(RETRY_AFTER_SECONDS);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers
        .insert("permissions-policy", HeaderValue::from_static("camera=(), microphone=(), geolocation=()"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses requests that name another host: without sign-in, a page of somebody else's that
/// rebinds its name to this machine could read the board.
pub(super) async fn refuse_foreign_hosts(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if is_own_host(&request, state.site.public_host.as_deref()) {
        next.run(request).await
    } else {
        let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
        if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
            return pages::foreign_host(&state, &request);
        }
        let detail = "this server answers to localhost and to the host of CALLBOARD_PUBLIC_URL only";
        problem(StatusCode::MISDIRECTED_REQUEST, detail)
    }
}

fn is_own_host(request: &Request, public_host: Option<&str>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (request.uri().authority(), hosts.next(), hosts.next()) {
        (_, Some(_), Some(_)) => false,
        (Some(authority), ..) => is_own_name(authority.as_str(), public_host),
        (None, Some(host), None) => host.to_str().is_ok_and(|host| is_own_name(host, public_host)),
        // Old tools that name nobody; browsers always do.
        (None, None, _) => request.version() < Version::HTTP_11,
    }
}

/// True when `named`, a host with or without a port, is this machine or the public name.
fn is_own_name(named: &str, public_host: Option<&str>) -> bool {
    let (host, port) = match named.strip_prefix('[') {
        Some(rest) => rest.split_once(']').unwrap_or(("", "")),
        None => named.split_at(named.find(':').unwrap_or(named.len())),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return false;
    }
    let host = host.to_ascii_lowercase();
    let is_loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || host == "localhost" || host.ends_with(".localhost") || public_host == Some(host.as_str())
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::Request,
        middleware::from_fn,
        response::{Html, IntoResponse as _},
        routing::get,
    };
    use tower::ServiceExt as _;

    use super::*;

    const PUBLIC: Option<&str> = Some("board.example.org");

    #[test]
    fn only_this_machine_and_the_public_name_are_answered() {
        for own in [
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "LOCALHOST",
            "board.example.org",
            "127.0.0.9",
            "wall.localhost:",
        ] {
            assert!(is_own_name(own, PUBLIC), "{own}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example:8080",
            "10.0.0.1",
            "",
            "[::2]",
            "[::1]evil.example",
            "[::1]:80.evil.example",
            "[::1",
            "localhost:evil.example",
            "localhost:80:evil.example",
        ] {
            assert!(!is_own_name(foreign, PUBLIC), "{foreign}");
        }
    }

    #[tokio::test]
    async fn who_cannot_be_answered_now_is_told_when_to_come_again() {
        let answer = async |status, said: Option<&'static str>| {
            let answer = move || async move {
                let mut answer = (status, Html("<p>Not now.</p>")).into_response();
                let said = said.map(|said| (header::RETRY_AFTER, HeaderValue::from_static(said)));
                answer.headers_mut().extend(said);
                answer
            };
            let router = Router::new().route("/", get(answer)).layer(from_fn(set_headers));
            let answer = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
            answer.headers().get(header::RETRY_AFTER).map(|after| after.to_str().unwrap().to_owned())
        };
        let (busy, fine) = (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK);
        assert_eq!(answer(busy, None).await.as_deref(), Some("2"), "of a page as of JSON");
        assert_eq!(answer(busy, Some("60")).await.as_deref(), Some("60"));
        assert_eq!(answer(fine, None).await, None);
    }

    #[test]
    fn a_request_names_one_host() {
        let request = |version, hosts: &[&str]| {
            let named = hosts.iter().fold(Request::get("/wall").version(version), |request, host| {
                request.header(header::HOST, *host)
            });
            is_own_host(&named.body(Body::empty()).unwrap(), PUBLIC)
        };
        assert!(request(Version::HTTP_11, &["localhost"]));
        assert!(!request(Version::HTTP_11, &["localhost", "evil.example"]));
        assert!(!request(Version::HTTP_11, &["localhost", "localhost"]));
        assert!(!request(Version::HTTP_11, &[]));
        assert!(request(Version::HTTP_10, &[]));
    }
}
