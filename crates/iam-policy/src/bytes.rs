//! Looking for one byte in a short text. The searches of `str` are made for long ones: on the words of a policy, most of
//! them under fifty bytes, setting them up costs more than the walk.
//! Only ASCII is looked for, so that a place found is always between characters.

/// Whether the text has the byte.
#[inline]
pub(crate) fn has(text: &str, wanted: u8) -> bool {
    text.bytes().any(|byte| byte == wanted)
}

/// What stands before and after the first such byte, which is ASCII.
#[inline]
pub(crate) fn split_once(text: &str, wanted: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == wanted)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.get(1..)?))
}

/// Whether the text has the beginning of a policy variable, `${`.
#[inline]
pub(crate) fn has_variable(text: &str) -> bool {
    has(text, b'$') && text.contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_as_str_splits_it() {
        for text in ["", ":", "a:b", "s3:GetObject", "é:ü:ö", "no colon", ":a", "a:"] {
            assert_eq!(split_once(text, b':'), text.split_once(':'), "{text}");
            assert_eq!(has(text, b':'), text.contains(':'), "{text}");
        }
        assert!(has_variable("a${b}") && !has_variable("$a {") && !has_variable(""));
    }
}
