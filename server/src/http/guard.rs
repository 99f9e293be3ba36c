//! What every answer carries: the content security policy and the usual headers.
//! What every request must satisfy: it names this machine.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::Response,
};

use super::{error::problem, router::AppState};

/// Pages hold no script and no style of their own, so none is allowed: what is embedded runs, nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Sets the headers of every answer.
pub(super) async fn set_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
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
    if is_own_host(request.uri(), request.headers(), state.site.public_host.as_deref()) {
        next.run(request).await
    } else {
        let detail = "this server answers to localhost and to the host of CALLBOARD_PUBLIC_URL only";
        problem(StatusCode::MISDIRECTED_REQUEST, detail)
    }
}

fn is_own_host(uri: &Uri, headers: &HeaderMap, public_host: Option<&str>) -> bool {
    let named = match (uri.authority(), headers.get(header::HOST)) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().unwrap_or(""),
        // HTTP/1.0 tools that name nobody; browsers always do.
        (None, None) => return true,
    };
    let host = match named.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => named.rsplit_once(':').map_or(named, |(host, _)| host),
    };
    let host = host.to_ascii_lowercase();
    let is_loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || host == "localhost" || host.ends_with(".localhost") || public_host == Some(host.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_the_public_name_are_answered() {
        let is_own = |host: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]);
            is_own_host(&Uri::from_static("/wall"), &headers, Some("board.example.org"))
        };
        for own in
            ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST", "board.example.org", "127.0.0.9"]
        {
            assert!(is_own(own), "{own}");
        }
        for foreign in ["evil.example", "localhost.evil.example:8080", "10.0.0.1", "", "[::2]"] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }
}
