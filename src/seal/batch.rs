//! Batch tokens: all that is known of one is in the token itself, sealed. Nothing is stored, so nobody can
//! look one up or change it; whoever changes a byte has no token. What is in one: [`crate::auth`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{Barrier, Result, SealError};
use crate::model::ClientToken;

/// What a batch token begins with (contract 3.2).
const PREFIX: &str = "hvb.";
/// What the body is sealed as.
const CONTEXT: &str = "batch-token";
/// Characters that are looked at; with a body of a few hundred bytes tokens have about 500. Headers have 128 KiB
/// together, and a longer one is nobody's token.
const LONGEST: usize = 8_192;

impl Barrier {
    /// A batch token with this inside.
    pub fn batch_token(&self, body: &[u8]) -> Result<ClientToken> {
        let sealed = self.seal(body, CONTEXT)?;
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed));
        if token.len() > LONGEST {
            return Err(SealError::TooLarge { context: CONTEXT.to_owned() });
        }
        Ok(ClientToken::new(token))
    }

    /// What is inside a batch token; `None` of any other token, an error where it was not made here.
    pub fn open_batch_token(&self, token: &ClientToken) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(text) = token.expose().strip_prefix(PREFIX) else {
            return Ok(None);
        };
        let not_opened = || SealError::NotOpened { context: CONTEXT.to_owned() };
        if token.expose().len() > LONGEST {
            return Err(not_opened());
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_not_base64| not_opened())?;
        self.open(&sealed, CONTEXT).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn barrier(seed: u64) -> Barrier {
        Barrier::in_memory(&Random::seeded(seed))
    }

    #[test]
    fn a_batch_token_opens_with_the_key_that_sealed_it_and_shows_nothing() {
        let barrier = barrier(1);
        let token = barrier.batch_token(b"ci,default").unwrap();
        let text = token.expose().to_owned();
        assert!(text.starts_with("hvb.") && !text.contains("ci,default"), "{text}");
        let opened = barrier.open_batch_token(&token).unwrap().unwrap();
        assert_eq!(opened.as_slice(), b"ci,default");
        assert_ne!(barrier.batch_token(b"ci,default").unwrap().expose(), text, "never twice");
        let other = self::barrier(2).open_batch_token(&token).unwrap_err();
        assert!(matches!(other, SealError::NotOpened { .. }));
    }

    #[test]
    fn a_changed_cut_or_foreign_text_is_no_token() {
        let barrier = barrier(1);
        let text = barrier.batch_token(b"body").unwrap().expose().to_owned();
        for at in 4..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = ClientToken::new(String::from_utf8(changed).unwrap());
            assert!(barrier.open_batch_token(&changed).is_err(), "{at}");
        }
        let mut cut = text.clone();
        cut.pop();
        for bad in [cut.as_str(), "hvb.", "hvb.%", &format!("hvb.{}", "A".repeat(9000))] {
            assert!(barrier.open_batch_token(&ClientToken::new(bad)).is_err(), "{bad}");
        }
        let service = ClientToken::new("hvs.x");
        assert!(barrier.open_batch_token(&service).unwrap().is_none());
    }

    #[test]
    fn how_near_a_guess_is_tells_nothing_of_how_near_its_digest_is() {
        // Tokens are looked up by a keyed digest: a comparison that stops early would only tell how far two
        // digests agree, and that is chance whatever the guess has in common with the token.
        let barrier = barrier(1);
        let token: String = "hvs.".to_owned() + &Random::seeded(7).base62(91);
        let of = |text: &str| barrier.token_digest(&ClientToken::new(text)).unwrap().0;
        let real = of(&token);
        for at in 4..token.len() {
            let mut guess = token.clone().into_bytes();
            guess[at] = if guess[at] == b'a' { b'b' } else { b'a' };
            let digest = of(&String::from_utf8(guess).unwrap());
            let common = real.bytes().zip(digest.bytes()).take_while(|(a, b)| a == b).count();
            // Four hex digits agree by chance once in 65,536; here are 91 guesses.
            assert!(common < 4, "{at}: {common}");
        }
    }
}
