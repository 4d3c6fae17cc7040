//! Tests of the strict reader; the corpus in `tests/corpus.rs` has many more broken texts.

use proptest::prelude::*;

use super::*;

fn fault(text: &str) -> (JsonErrorKind, String) {
    let error = StrictJson::parse(text).unwrap_err();
    (error.kind, error.pointer)
}

#[test]
fn the_canonical_text_loses_white_space_only() {
    let json =
        StrictJson::parse(" {\r\n\t\"b\" : [ 1.50 , \"a \\u0062\" ] , \"a\": -0 } \n").unwrap();
    assert_eq!(json.canonical(), r#"{"b":[1.50,"a \u0062"],"a":-0}"#);
    assert_eq!(json.at("/b/1").unwrap().as_str(), Some("a b"));
    assert_eq!(json.value(), &serde_json::json!({"b": [1.5, "a b"], "a": -0.0}));
}

#[test]
fn positions_are_those_of_the_original_text() {
    let json = StrictJson::parse("{\n  \"é/~\": [1,\n 2]}").unwrap();
    assert_eq!(json.position("/é~1~0"), Some(Position { line: 2, column: 10, offset: 12 }));
    assert_eq!(json.name_position("/é~1~0"), Some(Position { line: 2, column: 3, offset: 4 }));
    assert_eq!(json.position("/é~1~0/1").map(|at| (at.line, at.column)), Some((3, 2)));
    assert_eq!(json.position(""), Some(Position::START));
    for missing in ["/x", "x", "/é~1~0/2", "/é~1~0/01", "/é~1~0/-", "/é~1~0/0/0"] {
        assert_eq!(json.position(missing), None, "{missing}");
    }
}

#[test]
fn repeated_names_are_compared_after_unescaping() {
    assert_eq!(
        fault(r#"{"a":{"b":1,"\u0062":2}}"#),
        (JsonErrorKind::DuplicateName, "/a".to_owned())
    );
    assert!(StrictJson::parse(r#"{"a":{"b":1},"c":{"b":2}}"#).is_ok());
}

#[test]
fn broken_json_is_called_that_even_after_other_faults() {
    assert_eq!(fault("{\"a\":1,\"a\":2,}").0, JsonErrorKind::Syntax);
    assert_eq!(fault("[\"\u{4e00}\"").0, JsonErrorKind::Syntax);
    assert_eq!(fault("").0, JsonErrorKind::Syntax);
}

#[test]
fn characters_that_iam_does_not_take_are_named() {
    for text in
        ["[\"\u{4e00}\"]", r#"["\u0000"]"#, r#"["\ud800"]"#, r#"["\ud83d\ude00"]"#, r#"["\b"]"#]
    {
        assert_eq!(fault(text), (JsonErrorKind::Character, "/0".to_owned()), "{text}");
    }
    assert!(StrictJson::parse("[\"\u{ff}\\n\"]").is_ok());
}

#[test]
fn the_limits_hold_on_both_sides() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(StrictJson::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(fault(&nested(MAX_DEPTH.saturating_add(1))).0, JsonErrorKind::Depth);

    let long = |characters: usize| format!("\"{}\"", "é".repeat(characters.saturating_sub(2)));
    assert!(StrictJson::parse(&long(MAX_CHARS)).is_ok());
    assert_eq!(fault(&long(MAX_CHARS.saturating_add(1))).0, JsonErrorKind::TooLong);

    assert!(StrictJson::parse("9007199254740993").is_ok());
    assert_eq!(fault("1e400").0, JsonErrorKind::Number);
    assert_eq!(fault(&"9".repeat(65)).0, JsonErrorKind::Number);
}

#[test]
fn bytes_that_are_not_utf8_say_where() {
    let error = StrictJson::parse_bytes(b"[\n\"\xff\"]").unwrap_err();
    assert_eq!(
        (error.kind, error.position.line, error.position.column),
        (JsonErrorKind::Encoding, 2, 2)
    );
    assert_eq!(StrictJson::parse_bytes(b"\xef\xbb\xbf{}").unwrap_err().kind, JsonErrorKind::Syntax);
}

#[test]
fn an_error_reads_as_a_sentence() {
    let error = StrictJson::parse("{\"a\": [1 2]}").unwrap_err();
    assert_eq!(error.to_string(), "expected `,` or `]`, found `2` at line 1 column 10");
    assert_eq!(error.pointer, "/a");
}

/// JSON texts, written with odd spacing and escapes.
fn texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,5})?",
        "\"([ -!#-\\[\\]-~]|\\\\n|\\\\u00e9)*\"",
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let space = "[ \n\t]{0,2}";
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..5), space).prop_map(|(items, space)| format!(
                "[{space}{}{space}]",
                items.join(&format!("{space},"))
            )),
            prop::collection::vec((inner, space), 0..5).prop_map(|items| {
                let members: Vec<String> = items
                    .into_iter()
                    .enumerate()
                    .map(|(index, (item, space))| {
                        format!("{space}\"m{index}\"{space}:{space}{item}")
                    })
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = StrictJson::parse_bytes(&bytes) {
            prop_assert!(error.position.offset <= bytes.len());
        }
    }

    #[test]
    fn no_json_like_text_makes_the_reader_panic(text in "[\\[\\]{}:,\"\\\\u0-9aeE.+ tr-]{0,60}") {
        match StrictJson::parse(&text) {
            Ok(json) => prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&text).unwrap(), json.value()),
            Err(error) => prop_assert!(error.position.offset <= text.len()),
        }
    }

    #[test]
    fn what_serde_json_reads_we_read_alike(text in texts()) {
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let json = StrictJson::parse(&text).unwrap();
        prop_assert_eq!(json.value(), &expected);
        let again = StrictJson::parse(json.canonical()).unwrap();
        prop_assert_eq!(again.canonical(), json.canonical());
        prop_assert_eq!(again.value(), &expected);
    }

    #[test]
    fn every_child_lies_in_the_text(text in texts()) {
        let json = StrictJson::parse(&text).unwrap();
        for (index, child) in json.root().children().enumerate() {
            let pointer = child.name().map_or_else(|| format!("/{index}"), |name| format!("/{name}"));
            let position = json.position(&pointer).unwrap();
            prop_assert!(text.get(position.offset..).unwrap().starts_with(child.raw()));
        }
    }
}
