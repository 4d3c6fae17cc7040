//! Colours, where a terminal shows them. What is printed says the same without.

use std::fmt::Display;
use std::io::IsTerminal as _;

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Colours text, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    coloured: bool,
}

impl Colour {
    /// The choice for standard output.
    pub(crate) fn paint(self) -> Paint {
        Paint {
            coloured: match self {
                Self::Always => true,
                Self::Never => false,
                Self::Auto => std::io::stdout().is_terminal() && !no_color(),
            },
        }
    }
}

/// <https://no-color.org>: set and not empty.
#[expect(clippy::disallowed_methods, reason = "the kit is a command line: this is its environment")]
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

impl Paint {
    /// Something good.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.code("32", text)
    }

    /// Something bad.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.code("1;31", text)
    }

    /// Something to look at.
    pub(crate) fn warn(self, text: impl Display) -> String {
        self.code("33", text)
    }

    /// Something to overlook.
    pub(crate) fn faint(self, text: impl Display) -> String {
        self.code("2", text)
    }

    /// A name or a heading.
    pub(crate) fn strong(self, text: impl Display) -> String {
        self.code("1", text)
    }

    fn code(self, code: &str, text: impl Display) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_changes_nothing_but_the_colour() {
        assert_eq!(Colour::Never.paint().bad("FAIL"), "FAIL");
        assert_eq!(Colour::Always.paint().good("ok"), "\u{1b}[32mok\u{1b}[0m");
    }
}
