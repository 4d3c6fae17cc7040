//! The manifest: what people read of a guardrail before they bind it.

use guardrail_host::{Manifest, Rule};

use super::Problem;

pub(super) fn problems(
    manifest: &Manifest,
    name: Option<&str>,
    readme: Option<&str>,
) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Some(name) = name.filter(|name| *name != manifest.name) {
        found.push(Problem::error(
            format!("it calls itself `{}`, and guardrail.toml `{name}`", manifest.name),
            "give both the same name",
        ));
    }
    if !is_version(&manifest.version) {
        found.push(Problem::error(
            format!("its version `{}` is no semantic version", manifest.version),
            "write MAJOR.MINOR.PATCH, such as 1.4.0; uploads are ordered by it",
        ));
    }
    if manifest.summary.trim().is_empty() {
        found.push(Problem::warning(
            "it has no summary",
            "say in `describe` in one sentence what it is for; lists show it",
        ));
    }
    for (what, url) in [("docs URL", &manifest.docs_url), ("source URL", &manifest.source_url)] {
        found.extend(url.as_ref().and_then(|url| url_problem(&format!("its {what}"), url)));
    }
    let documented = manifest.docs_url.is_some();
    for rule in &manifest.rules {
        found.extend(rule_problems(rule, documented, readme));
    }
    found
}

fn rule_problems(rule: &Rule, documented: bool, readme: Option<&str>) -> Vec<Problem> {
    let mut found = Vec::new();
    if rule.title.trim().is_empty() {
        found.push(Problem::error(
            format!("the rule `{}` has no title", rule.id),
            "say in a few words what it finds",
        ));
    }
    let in_readme = readme.is_some_and(|text| text.contains(&format!("`{}`", rule.id)));
    match &rule.docs_url {
        Some(url) => {
            found.extend(url_problem(&format!("the docs URL of the rule `{}`", rule.id), url));
        }
        None if documented || in_readme => {}
        None => found.push(Problem::warning(
            format!("the rule `{}` is documented nowhere", rule.id),
            "give it a docs URL, or a section in README.md that names it in backticks",
        )),
    }
    found
}

fn url_problem(what: &str, url: &str) -> Option<Problem> {
    (!is_url(url)).then(|| {
        let url = url.escape_debug();
        Problem::error(format!("{what}, `{url}`, is no URL"), "write it whole: https://…")
    })
}

/// `http` or `https`, a host, and no character that ends a URL in running text (RFC 3986, section 2).
fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let fine = |byte: u8| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte);
    !host.is_empty() && host.bytes().all(plain) && rest.bytes().all(fine)
}

/// `MAJOR.MINOR.PATCH`, with a pre-release and a build if wanted (semver.org, 2.0.0).
fn is_version(version: &str) -> bool {
    let (version, build) = version.split_once('+').unwrap_or((version, "0"));
    let (core, pre_release) = version.split_once('-').unwrap_or((version, "0"));
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    let word = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(plain)
    };
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre_release.split('.').chain(build.split('.')).all(word)
}

#[cfg(test)]
mod tests {
    use guardrail_host::Severity;

    use super::*;

    #[test]
    fn urls_and_versions_are_told_from_other_text() {
        for good in ["https://example.com", "http://a.b:8080/c?d#e"] {
            assert!(is_url(good), "{good}");
        }
        for bad in
            ["", "example.com", "docs/a.md", "https://", "https://a b", "ftp://a", "https://a/<b>"]
        {
            assert!(!is_url(bad), "{bad}");
        }
        for good in ["0.1.0", "1.2.3-rc.1+x.5"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["1", "1.2", "v1.2.3", "1.02.3", "1.2.3-", "latest"] {
            assert!(!is_version(bad), "{bad}");
        }
    }

    #[test]
    fn a_rule_without_words_is_found() {
        let rule = |id: &str, title: &str, docs_url: Option<&str>| Rule {
            id: id.into(),
            title: title.into(),
            severity: Severity::Low,
            docs_url: docs_url.map(Into::into),
            tags: Vec::new(),
        };
        let told = |rule: &Rule, readme| {
            let found = rule_problems(rule, false, readme);
            found.into_iter().map(|problem| problem.what).collect::<Vec<_>>()
        };
        assert!(told(&rule("a", "A", None), Some("## `a`")).is_empty());
        assert_eq!(told(&rule("a", "A", None), Some("a")), ["the rule `a` is documented nowhere"]);
        assert_eq!(
            told(&rule("a", "", Some("x")), None),
            ["the rule `a` has no title", "the docs URL of the rule `a`, `x`, is no URL"]
        );
    }
}
