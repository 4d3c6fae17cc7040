//! Tests of matching and of the relations of patterns, against a slow oracle that follows the definition.

use proptest::prelude::*;

use super::*;

/// The definition, read aloud: exponential, for short texts only.
fn oracle(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|taken| oracle(rest, &text[taken..])),
        Some(('?', rest)) => !text.is_empty() && oracle(rest, &text[1..]),
        Some((plain, rest)) => text.first() == Some(plain) && oracle(rest, &text[1..]),
    }
}

fn by_oracle(pattern: &str, text: &str) -> bool {
    let letters = |text: &str| text.chars().collect::<Vec<_>>();
    oracle(&letters(pattern), &letters(text))
}

/// Every text of up to five letters over the alphabet of the properties.
fn short_texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut last = texts.clone();
    for _ in 0..5 {
        last = last
            .iter()
            .flat_map(|text| ["a", "b", "é"].map(|letter| format!("{text}{letter}")))
            .collect();
        texts.extend(last.iter().cloned());
    }
    texts
}

#[test]
fn stars_and_question_marks_match_characters() {
    assert!(matches("a*b?c", "axxbéc"));
    assert!(!matches("a?c", "ac"));
    assert!(matches("[a]\\*", "[a]\\x"));
    assert!(matches("**", ""));
    assert!(!matches("", "a"));
}

#[test]
fn actions_ignore_case_and_resources_do_not() {
    assert!(matches_action("S3:get*", "s3:GetObject"));
    assert!(!matches("S3:get*", "s3:GetObject"));
}

#[test]
fn everything_is_stars_only() {
    assert!(is_everything("*") && is_everything("**") && is_everything("*:*"));
    assert!(!is_everything("") && !is_everything("*:?*") && !is_everything("s3:*"));
}

#[test]
fn hostile_patterns_take_no_longer_than_their_size_allows() {
    let pattern = "*a".repeat(5_000);
    let text = "a".repeat(20_000) + "b";
    assert!(!matches(&pattern, &text));
    let other = format!("{}b", "a*".repeat(2_000));
    assert!(!covers(&other, &pattern));
    assert!(overlaps(&"*a".repeat(1_000), &"a*".repeat(1_000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn matching_is_what_the_definition_says(pattern in "[ab?*é]{0,8}", text in "[abé]{0,8}") {
        prop_assert_eq!(matches(&pattern, &text), by_oracle(&pattern, &text));
    }

    #[test]
    fn a_covered_pattern_matches_nothing_more(outer in "[ab?*]{0,6}", inner in "[ab?*]{0,6}") {
        if covers(&outer, &inner) {
            for text in short_texts() {
                prop_assert!(!matches(&inner, &text) || matches(&outer, &text), "{text}");
            }
        }
    }

    #[test]
    fn inclusion_of_patterns_without_question_marks_is_exact(outer in "[ab*]{0,5}", inner in "[ab*]{0,4}") {
        // A letter that neither names stands for whatever a star may take: only a star can take it.
        let fresh = inner.replace('*', "z");
        prop_assert_eq!(covers(&outer, &inner), by_oracle(&outer, &fresh));
    }

    #[test]
    fn overlap_is_what_some_text_shows(one in "[ab?*]{0,4}", other in "[ab?*]{0,4}") {
        let shown = short_texts().iter().any(|text| matches(&one, text) && matches(&other, text));
        // Four letters of each pattern need at most eight characters, but with this alphabet five show most overlaps.
        prop_assert!(!shown || overlaps(&one, &other));
        prop_assert_eq!(overlaps(&one, &other), overlaps(&other, &one));
        let stars = |text: &str| text.contains('*');
        if !stars(&one) || !stars(&other) {
            prop_assert_eq!(overlaps(&one, &other), shown);
        }
    }

    #[test]
    fn each_pattern_covers_and_meets_itself(pattern in "[ab?*:]{0,8}") {
        prop_assert!(covers(&pattern, &pattern));
        prop_assert!(overlaps(&pattern, &pattern));
        prop_assert!(covers_resource(&pattern, &pattern));
    }
}
