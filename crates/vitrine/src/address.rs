//! Paths and query strings of our HTTP interface.
//!
//! Shopper ids are free text and document ids may hold anything a user types, so
//! each part is percent-encoded by itself.

/// A path such as `/indexes/shop/users/a%2Fb/profile` from its parts.
pub fn path(parts: &[&str]) -> String {
    let mut path = String::new();
    for part in parts {
        path.push('/');
        path.push_str(&encode(part));
    }
    path
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_cannot_leave_its_place() {
        assert_eq!(
            path(&["users", "a/../b?c=1", "profile"]),
            "/users/a%2F..%2Fb%3Fc%3D1/profile"
        );
        assert_eq!(encode("客"), "%E5%AE%A2");
    }
}
