//! The files a page refers to, embedded in the binary: style sheet, program, icon.
//!
//! Their names carry a hash of the content, so a browser may keep them for ever and a new version of the
//! server never meets an old file. Built without the browser side there are only style sheet and icon.

use app::bootstrap::AssetLinks;
use axum::{
    Router,
    body::Body,
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
    routing::get,
};

use super::{encoding::Encoding, error::problem};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A name with a hash never changes its content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// `/favicon.ico` and its like have no hash in their name.
const FOR_A_DAY: &str = "public, max-age=86400";

/// One embedded file in every encoding we have of it.
struct Asset {
    name: &'static str,
    raw: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// The addresses of the embedded files, for the head of a page.
pub(crate) fn links() -> AssetLinks {
    AssetLinks {
        css: STYLE.unwrap_or_default(),
        js: GLUE,
        wasm: WASM,
        bootstrap: BOOTSTRAP,
        favicon: FAVICON.unwrap_or_default(),
        analytics: ANALYTICS.unwrap_or_default(),
    }
}

/// Serves the embedded files to everybody: they are the same for all and hold no data.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let favicon = async |headers: HeaderMap| {
        let name = FAVICON.and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        respond(name, &headers, FOR_A_DAY)
    };
    Router::new()
        .route(
            "/assets/{name}",
            get(async |name: Result<Path<String>, PathRejection>, headers: HeaderMap| {
                let name = name.map(|Path(name)| name).unwrap_or_default();
                respond(&name, &headers, FOR_EVER)
            }),
        )
        .route("/assets/", get(async || not_there()))
        .route("/favicon.svg", get(favicon))
        // Asked for by browsers that ignore the page's head; they read the content type, not the name.
        .route("/favicon.ico", get(favicon))
}

fn respond(name: &str, request: &HeaderMap, cache_control: &'static str) -> Response<Body> {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return not_there();
    };
    let (encoding, content) = asset.best_for(request);
    let tag = asset.tag(encoding);
    let known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| matches!(candidate.trim(), "*") || candidate.trim().trim_start_matches("W/") == tag);

    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(content).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if known {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type()));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        encoding.declare(headers);
    }
    response
}

fn not_there() -> Response<Body> {
    problem(StatusCode::NOT_FOUND, "there is no such file here; reload the page that refers to it")
}

impl Asset {
    fn best_for(&self, request: &HeaderMap) -> (Encoding, &'static [u8]) {
        [(Encoding::Brotli, self.brotli), (Encoding::Gzip, self.gzip)]
            .into_iter()
            .filter_map(|(encoding, content)| Some((encoding, content?)))
            .find(|(encoding, _)| encoding.is_accepted_by(request))
            .unwrap_or((Encoding::Identity, self.raw))
    }

    /// Two encodings of one file are two different byte strings and need two tags.
    fn tag(&self, encoding: Encoding) -> String {
        format!("\"{}.{}\"", self.name, encoding.token().unwrap_or("raw"))
    }

    fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            // Without this exact type the browser cannot compile while it downloads.
            Some("wasm") => "application/wasm",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use tower::ServiceExt as _;

    async fn ask(path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn header(response: &Response<Body>, name: &str) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[tokio::test]
    async fn every_link_leads_to_a_file_that_may_be_kept() {
        let links = links();
        let paths = [
            Some(links.css),
            Some(links.favicon),
            Some(links.analytics),
            links.js,
            links.wasm,
            links.bootstrap,
        ];
        for path in paths.into_iter().flatten() {
            let response = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&response, "cache-control"), FOR_EVER);
            assert!(header(&response, "content-encoding").is_empty());

            let tag = header(&response, "etag");
            let again = ask(path, &[("if-none-match", &format!("\"other\", W/{tag}"))]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        }
    }

    #[tokio::test]
    async fn icons_are_found_where_browsers_look() {
        for path in ["/favicon.svg", "/favicon.ico"] {
            let response = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, "content-type"), "image/svg+xml");
            assert_eq!(header(&response, "cache-control"), FOR_A_DAY);
        }
    }

    #[tokio::test]
    async fn what_is_not_embedded_is_not_there() {
        for path in ["/assets/app.wasm", "/assets/..%2fCargo.toml", "/assets/", "/assets/%ff"] {
            let response = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(header(&response, "content-type"), "application/problem+json", "{path}");
        }
    }

    #[test]
    fn the_best_encoding_the_browser_takes_wins() {
        let asset = Asset { name: "x.css", raw: b"raw", brotli: Some(b"br"), gzip: Some(b"gz") };
        let plain = Asset { brotli: None, gzip: None, ..asset };
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip, deflate", Encoding::Gzip),
            ("br;q=0, gzip;q=0.5", Encoding::Gzip),
            ("BR", Encoding::Brotli),
            ("identity", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap())]);
            assert_eq!(asset.best_for(&headers).0, expected, "{accepted}");
            assert_eq!(plain.best_for(&headers).0, Encoding::Identity, "{accepted}");
        }
        assert_ne!(asset.tag(Encoding::Brotli), asset.tag(Encoding::Gzip));
    }
}
