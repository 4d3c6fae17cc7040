//! The custom sections at the top of a component, as far as they are wanted: name and bytes (WebAssembly core
//! specification, 5.5.3; components have the same sections around theirs). Trusts no length that it reads.

/// `\0asm` and the version: what every component begins with.
const HEADER_BYTES: usize = 8;
/// The id of a custom section.
const CUSTOM: u8 = 0;

/// The bytes of the custom section of this name.
pub(crate) fn custom<'a>(component: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = component.get(HEADER_BYTES..)?;
    while let Some((id, after)) = rest.split_first() {
        let (length, after) = leb128(after)?;
        let (body, after) = after.split_at_checked(length)?;
        if *id == CUSTOM {
            let (length, inside) = leb128(body)?;
            let (found, content) = inside.split_at_checked(length)?;
            if found == name.as_bytes() {
                return Some(content);
            }
        }
        rest = after;
    }
    None
}

/// An unsigned number of at most 32 bits in groups of seven.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number: u32 = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        let shift = u32::try_from(index).ok()?.checked_mul(7)?;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            let rest = bytes.get(index.checked_add(1)?..)?;
            return Some((usize::try_from(number).ok()?, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_behind_others() {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        component.extend([1, 2, 9, 9]);
        component.extend([0, 5, 1, b'a', 7, 7, 7]);
        component.extend([0, 4, 2, b'b', b'c', 42]);
        assert_eq!(custom(&component, "bc"), Some(&[42][..]));
        assert_eq!(custom(&component, "a"), Some(&[7, 7, 7][..]));
        assert_eq!(custom(&component, "d"), None);
    }

    #[test]
    fn a_length_that_lies_finds_nothing() {
        let component = b"\0asm\x0d\0\x01\0\0\xff\xff\xff\xff\x0f\x01a";
        assert_eq!(custom(component, "a"), None);
        assert_eq!(custom(b"\0asm", "a"), None);
    }
}
