//! Writes the XML of AWS's answers, escaped, and reads one field back for the fault script.
//! Text goes in only through [`Xml::text`]; nothing else may put a value between tags. Whole answers
//! are framed by [`response`] and [`error`].

/// The inside of an answer.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `<name>value</name>`, escaped.
    pub(crate) fn text(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        self.tag(name, |inside| inside.0.push_str(&escape(value.as_ref())))
    }

    /// `<name>value</name>` where there is one.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// `<name>…</name>` around what `fill` writes.
    pub(crate) fn tag(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        for part in ["<", name, ">"] {
            self.0.push_str(part);
        }
        fill(self);
        for part in ["</", name, ">"] {
            self.0.push_str(part);
        }
        self
    }

    /// `<name><member>…</member>…</name>`, one member for each item.
    pub(crate) fn members<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.tag(name, |list| {
            for item in items {
                list.tag("member", |inside| fill(inside, item));
            }
        })
    }
}

/// What an action answers: nothing, or the inside of its result.
pub(crate) type Answer = Option<Xml>;

/// A whole answer.
pub(crate) fn response(action: &str, namespace: &str, answer: Answer, request_id: &str) -> String {
    let mut body = Xml::new();
    if let Some(answer) = answer {
        body.tag(&format!("{action}Result"), |result| {
            result.0.push_str(&answer.0);
        });
    }
    body.tag("ResponseMetadata", |meta| {
        meta.text("RequestId", request_id);
    });
    format!("<{action}Response xmlns=\"{namespace}\">{}</{action}Response>", body.0)
}

/// A whole refusal.
pub(crate) fn error(status: u16, code: &str, message: &str, request_id: &str) -> String {
    let mut body = Xml::new();
    body.tag("ErrorResponse", |response| {
        response.tag("Error", |error| {
            error.text("Type", if status < 500 { "Sender" } else { "Receiver" });
            error.text("Code", code).text("Message", message);
        });
        response.text("RequestId", request_id);
    });
    body.0
}

/// The text of the first `<name>` that holds nothing but text.
pub(crate) fn first<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A reader of XML turns these into plain line ends and spaces unless they are written so.
            '\r' => out.push_str("&#xD;"),
            // XML 1.0 knows no other control characters, not even escaped.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_become_markup() {
        let mut xml = Xml::new();
        xml.text("A", "<b>&\"'\r\u{1}ü").members("L", ["x", "y"], |member, value| {
            member.text("V", value);
        });
        assert_eq!(
            response("Do", "urn:x", Some(xml), "r1"),
            "<DoResponse xmlns=\"urn:x\"><DoResult><A>&lt;b&gt;&amp;&quot;&apos;&#xD;\u{FFFD}ü</A>\
             <L><member><V>x</V></member><member><V>y</V></member></L></DoResult>\
             <ResponseMetadata><RequestId>r1</RequestId></ResponseMetadata></DoResponse>"
        );
    }

    #[test]
    fn a_refusal_names_the_side_at_fault() {
        let sender = error(404, "NoSuchEntity", "gone", "r");
        assert_eq!(first(&sender, "Type"), Some("Sender"));
        assert_eq!(first(&sender, "Code"), Some("NoSuchEntity"));
        assert_eq!(first(&error(503, "X", "", "r"), "Type"), Some("Receiver"));
    }
}
