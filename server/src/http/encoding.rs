//! Which compression a browser takes.

use axum::http::{HeaderMap, HeaderValue, header};

/// A way to write an answer's body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The best that the request accepts.
    pub(super) fn best_for(request: &HeaderMap) -> Self {
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|encoding| encoding.is_accepted_by(request))
            .unwrap_or(Self::Identity)
    }

    /// Its name in `Content-Encoding`; none for a body as it is.
    pub(super) fn token(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// Says in an answer's head how its body is written, and that another request may get it otherwise.
    pub(super) fn declare(self, headers: &mut HeaderMap) {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(token) = self.token() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(token));
        }
    }

    /// Whether the browser named it and did not rule it out with a weight of zero.
    pub(super) fn is_accepted_by(self, request: &HeaderMap) -> bool {
        let Some(token) = self.token() else { return true };
        request
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|entry| {
                let mut parts = entry.split(';').map(str::trim);
                let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(token));
                let ruled_out = parts.any(|parameter| {
                    parameter.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()) == Some(0.0)
                });
                named && !ruled_out
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_encoding_that_was_not_ruled_out() {
        let best = |accepted: &'static str| {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            Encoding::best_for(&headers)
        };
        assert_eq!(best("gzip, deflate, br"), Encoding::Brotli);
        assert_eq!(best("gzip, br;q=0"), Encoding::Gzip);
        assert_eq!(best("GZIP;q=0.5"), Encoding::Gzip);
        assert_eq!(best("zstd"), Encoding::Identity);
        assert_eq!(Encoding::best_for(&HeaderMap::new()), Encoding::Identity);
    }
}
