//! A key from an argument, from standard input, or typed where nobody sees it. It is never printed.

use std::io::{self, IsTerminal as _, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::{OperatorError, Result};

/// The key that was named, or the one that is asked for. `-` is standard input.
pub(super) fn read(
    named: Option<&str>,
    prompt: &str,
    err: &mut dyn Write,
) -> Result<Zeroizing<String>> {
    let text = match named {
        Some("-") => line()?,
        Some(key) => Zeroizing::new(key.to_owned()),
        None if io::stdin().is_terminal() => {
            write!(err, "{prompt} (will be hidden): ")?;
            err.flush()?;
            let typed = {
                let _hidden = Hidden::begin();
                line()?
            };
            writeln!(err)?;
            typed
        }
        None => line()?,
    };
    let key = Zeroizing::new(text.trim().to_owned());
    if key.is_empty() { Err(OperatorError::NoKey) } else { Ok(key) }
}

fn line() -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().read_line(&mut text)?;
    Ok(text)
}

/// What is typed is not shown until this is dropped.
struct Hidden(Option<Termios>);

impl Hidden {
    fn begin() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else {
            return Self(None);
        };
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        let changed = tcsetattr(io::stdin(), OptionalActions::Flush, &hidden);
        Self(changed.is_ok().then_some(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that is gone needs no setting.
            let _gone = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
