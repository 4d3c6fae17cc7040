//! What is known of a request: condition keys with their values.
//! A key that is not named is unknown, not absent; absence must be said.
//! Read by `conditions` and `variables`.

/// The known part of a request's context. Key names ignore case, as IAM's do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Vec<(String, Vec<String>)>,
}

impl Context {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// From names and values; a name that comes again has several values.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut context = Self::default();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            match context.slot(&name) {
                Some(values) => values.push(value),
                None => context.entries.push((name, vec![value])),
            }
        }
        context
    }

    /// Says that the request has no such key.
    #[must_use]
    pub fn with_absent(mut self, name: &str) -> Self {
        match self.slot(name) {
            Some(values) => values.clear(),
            None => self.entries.push((name.to_owned(), Vec::new())),
        }
        self
    }

    /// The values of a key: `None` unknown, empty absent.
    pub fn values(&self, name: &str) -> Option<&[String]> {
        self.entries
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, values)| values.as_slice())
    }

    fn slot(&mut self, name: &str) -> Option<&mut Vec<String>> {
        self.entries
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, values)| values)
    }
}
