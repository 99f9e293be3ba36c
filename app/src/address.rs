//! Addresses of the product's own pages, percent-encoded.

use std::fmt::Write as _;

use domain::id::{CallId, QueueId};

/// The wall of one queue.
pub fn wall_of(queue: &QueueId) -> String {
    format!("/wall/{}", encoded(queue.as_str()))
}

/// What stands behind the numbers of one queue.
pub fn behind(queue: &QueueId) -> String {
    format!("/queues/{}", encoded(queue.as_str()))
}

/// The journey of a call.
pub fn journey_of(call: &CallId) -> String {
    format!("/calls/{}", encoded(call.as_str()))
}

/// A path with those of `pairs` whose value is not empty.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut separator = '?';
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(separator);
        address.push_str(key);
        address.push('=');
        address.push_str(&encoded(value));
        separator = '&';
    }
    address
}

/// An address with more asked for; `query` is written as it stands.
pub fn joined(address: &str, query: &str) -> String {
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}{query}")
}

/// Keeps what RFC 3986 calls unreserved, and encodes every other byte.
fn encoded(text: &str) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            address.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_cannot_leave_their_place() {
        assert_eq!(wall_of(&QueueId::from("unresolved:801/../x?y")), "/wall/unresolved%3A801%2F..%2Fx%3Fy");
        assert_eq!(
            with_query("/queues", &[("sort", "-waiting"), ("find", "a&b=ü"), ("theme", "")]),
            "/queues?sort=-waiting&find=a%26b%3D%C3%BC"
        );
    }
}
