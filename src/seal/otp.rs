//! A token under a one-time password of the same length: Vault's form, which its command line undoes. Whoever sees it
//! without the password learns nothing of the token.

use crate::model::ClientToken;
use crate::model::encoding::base64;

/// Byte by byte the exclusive or of both, as base64 without padding.
pub fn under_password(token: &ClientToken, password: &str) -> String {
    let bytes: Vec<u8> =
        token.expose().bytes().zip(password.bytes()).map(|(one, two)| one ^ two).collect();
    base64(&bytes).trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_opens_it_again() {
        let (token, password) = (ClientToken::new("hvs.abc"), "0123456");
        // Computed with Python's base64 and operator.xor.
        assert_eq!(under_password(&token, password), "WEdBHVVXVQ");
    }
}
