//! Secrets: what a key's value is, signatures, and comparing without an early exit.
//!
//! A key's value is the HMAC-SHA256 of its uid under the master key, in hexadecimal. So no
//! value is stored anywhere, and another master key means other values.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use std::fmt::Write;

/// The value of the key with this uid.
pub(crate) fn key_value(master_key: &str, uid: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(master_key.as_bytes()) else {
        unreachable!("HMAC takes keys of every length");
    };
    mac.update(uid.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Hash functions that a signature may be made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    Hs256,
    Hs384,
    Hs512,
}

impl Signature {
    /// By its name in a JSON Web Token. `none` is not among them.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "HS384" => Some(Self::Hs384),
            "HS512" => Some(Self::Hs512),
            _ => None,
        }
    }

    /// Whether the key signed this text so.
    pub(crate) fn verifies(self, key: &str, text: &str, signature: &[u8]) -> bool {
        match self {
            Self::Hs256 => verify::<Hmac<Sha256>>(key, text, signature),
            Self::Hs384 => verify::<Hmac<Sha384>>(key, text, signature),
            Self::Hs512 => verify::<Hmac<Sha512>>(key, text, signature),
        }
    }
}

fn verify<M: Mac + KeyInit>(key: &str, text: &str, signature: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else {
        return false;
    };
    mac.update(text.as_bytes());
    // Takes the same time wherever the first difference stands.
    mac.verify_slice(signature).is_ok()
}

/// Compares in a time that depends on the length of what was given only.
pub(crate) fn is_same(given: &[u8], key: &[u8]) -> bool {
    let mut difference = given.len() ^ key.len();
    for (place, byte) in given.iter().enumerate() {
        // A key is never empty; the remainder keeps the index inside it.
        let expected = key
            .get(place % key.len().max(1))
            .copied()
            .unwrap_or_default();
        difference |= usize::from(byte ^ expected);
    }
    std::hint::black_box(difference) == 0
}

/// Decodes base64 with the alphabet of URLs and without padding, as tokens use it.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut pending, mut bits) = (0_u32, 0);
    for symbol in text.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        pending = (pending << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits & 0xff) as u8);
        }
    }
    // What is left over must be fewer bits than a symbol has, and all of them zero.
    (bits < 6 && pending & ((1 << bits) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_is_the_same() {
        let key = b"0123456789abcdef";
        assert!(is_same(key, key));
        for other in [
            &b""[..],
            b"0",
            b"0123456789abcdeF",
            b"0123456789abcdef0123456789abcdef",
            b"x123456789abcdef",
        ] {
            assert!(!is_same(other, key));
        }
    }

    /// The value that `openssl dgst -sha256 -hmac` gives.
    #[test]
    fn a_value_is_the_hmac_of_the_uid() {
        assert_eq!(
            key_value("key", "The quick brown fox jumps over the lazy dog"),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
    }

    #[test]
    fn base64_of_urls_is_read_strictly() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("Zg", Some(b"f")),
            ("Zm8", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("-_-_", Some(&[0xfb, 0xff, 0xbf])),
            ("Zg==", None),
            ("Zh", None),
            ("Z", None),
            ("Zm9v+", None),
        ] {
            assert_eq!(from_base64url(text).as_deref(), expected, "{text}");
        }
    }
}
