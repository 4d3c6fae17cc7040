//! A run of vectors as `JUnit` XML, the form that build servers read. Written by hand: it is four elements, and a crate for
//! it would bring a dozen others.

use std::time::Duration;

use super::{Ran, Run};

impl Run {
    /// The run as a `JUnit` document.
    pub(crate) fn to_junit(&self) -> String {
        let total = self.ran.iter().map(|ran| ran.elapsed).sum();
        let broken = self.ran.iter().filter(|ran| ran.outcome.is_none()).count();
        let counts = format!(
            r#"tests="{}" failures="{}" errors="{broken}" time="{}""#,
            self.ran.len(),
            self.failed().saturating_sub(broken),
            seconds(total),
        );
        let name = escaped(&self.name);
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let mut line = |text: String| {
            xml.push_str(&text);
            xml.push('\n');
        };
        line(format!(r#"<testsuites name="leasehold plugin test" {counts}>"#));
        line(format!(r#"  <testsuite name="{name}" {counts}>"#));
        line("    <properties>".into());
        line(format!(r#"      <property name="plugin" value="{}"/>"#, escaped(&self.plugin)));
        line(format!(r#"      <property name="digest" value="{}"/>"#, escaped(&self.digest)));
        line("    </properties>".into());
        for ran in &self.ran {
            line(ran.to_junit(&name));
        }
        line("  </testsuite>\n</testsuites>".into());
        xml
    }
}

impl Ran {
    fn to_junit(&self, class: &str) -> String {
        let mut xml = format!(
            r#"    <testcase name="{}" classname="{class}" file="{}" time="{}""#,
            escaped(&self.case.name),
            escaped(&self.case.file),
            seconds(self.elapsed),
        );
        if self.passed() {
            xml.push_str("/>");
            return xml;
        }
        let element = if self.outcome.is_some() { "failure" } else { "error" };
        let lines: Vec<String> = self.differences().iter().map(ToString::to_string).collect();
        let first = escaped(lines.first().map(String::as_str).unwrap_or_default());
        let text = escaped(&lines.join("\n"));
        let failure = format!("      <{element} message=\"{first}\">{text}</{element}>");
        [&xml, ">\n", &failure, "\n    </testcase>"].concat()
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.6}", duration.as_secs_f64())
}

/// Text for an element or a quoted attribute; what XML 1.0 cannot hold (section 2.2) becomes a space.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\n' => xml.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => xml.push(' '),
            other if other.is_control() => xml.push(' '),
            other => xml.push(other),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_attribute() {
        assert_eq!(escaped("a<b>&\"c\u{1b}\n"), "a&lt;b&gt;&amp;&quot;c &#10;");
    }
}
