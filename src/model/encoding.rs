//! Bytes as hex and base64 and back (RFC 4648, standard alphabet with padding). Pure; used by user-name
//! templates and where a client may send a text as base64.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// The text that hex stands for.
pub fn decode_hex(text: &str) -> Result<String, String> {
    let digits = text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let digits: Option<Vec<u8>> = digits.collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
    let Some(digits) = digits else {
        return Err(format!("`{text}` is not hex"));
    };
    let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0u8, |byte, digit| byte << 4 | digit));
    utf8(bytes.collect())
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        let missing = 3usize.saturating_sub(chunk.len());
        let group = (0..missing).fold(group, |group, _| group << 8);
        for (place, shift) in [18u32, 12, 6, 0].into_iter().enumerate() {
            if place > chunk.len() {
                text.push('=');
                continue;
            }
            let index = usize::try_from((group >> shift) & 0x3f).unwrap_or(0);
            text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// The text that base64 stands for.
pub fn decode_base64(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not base64");
    let body = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(body.len());
    if !text.len().is_multiple_of(4) || padding > 2 {
        return Err(wrong());
    }
    let mut bytes = Vec::new();
    let (mut group, mut bits) = (0u32, 0u32);
    for byte in body.bytes() {
        let index = ALPHABET.iter().position(|known| *known == byte).ok_or_else(wrong)?;
        group = (group << 6 | u32::try_from(index).unwrap_or(0)) & 0xffff;
        bits = bits.saturating_add(6);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            bytes.push(u8::try_from((group >> bits) & 0xff).unwrap_or(0));
        }
    }
    utf8(bytes)
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_not_text| "what was decoded is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_4648_has_these_examples() {
        for (text, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), coded);
            assert_eq!(decode_base64(coded).unwrap(), text);
        }
        for bad in ["a", "Zg=", "Zg", "====", "Z?==", "/w=="] {
            assert!(decode_base64(bad).is_err(), "{bad}");
        }
        for bad in ["a", "xy", "ff"] {
            assert!(decode_hex(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_decoded(text in ".{0,40}") {
            prop_assert_eq!(decode_base64(&base64(text.as_bytes())).unwrap(), text.clone());
            prop_assert_eq!(decode_hex(&hex(text.as_bytes())).unwrap(), text);
        }
    }
}
