use guardrail_host::{Location, Source, Trigger};

use super::*;

const SMALL: &str = r#"{
  "about": "a test",
  "grant": {
    "documents": [
      { "source": "inline", "document": { "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] } },
      { "document": { "Statement": { "Effect": "Deny", "Action": "*", "Resource": "*" } } }
    ]
  },
  "expect": {"verdict": "pass", "findings": []}
}
"#;

fn error(text: &str) -> String {
    Vector::read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_is_left_out_has_a_default() {
    let vector = Vector::read(SMALL.as_bytes()).unwrap();
    let grant = vector.grant().grant();
    assert_eq!(vector.about(), "a test");
    assert_eq!(vector.settings(), "");
    assert_eq!(grant.trigger, Trigger::Create);
    assert_eq!(grant.now_unix_ms, NOW_UNIX_MS);
    assert_eq!(grant.documents[1].source, Source::Inline);
    assert!(grant.role.is_none() && grant.actor.is_none() && grant.boundary.is_none());
    assert!(grant.previous.is_empty());
}

#[test]
fn every_part_of_a_grant_can_be_written() {
    let statement = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let text = format!(
        r#"{{"settings":{{"a":1}},"grant":{{"trigger":"update","now":7,
        "documents":[{{"source":{{"group":{{"group":"g","policy":"p"}}}},"document":{statement}}}],
        "boundary":{{"source":{{"managed":"arn:aws:iam::1:policy/b"}},"document":{statement}}},
        "previous":[{{"source":"session","document":{statement}}}],
        "actor":{{"id":"alice","groups":["ops"]}},
        "role":{{"name":"r","path":"/p/","account":"123456789012","partition":"aws-cn","credential_type":"assumed_role",
          "mount":"prod/","tags":{{"team":"data"}},"max_ttl_seconds":60,"assumes":["arn:aws:iam::1:role/x"],"groups":["g"]}}}},
        "expect":{{"verdict":"deny","message":"no","fuel_max":9,
          "findings":[{{"rule":"r","severity":"low","message":"m","patch":"cures"}}]}}}}"#
    );
    let vector = Vector::read(text.as_bytes()).unwrap();
    let grant = vector.grant().grant();
    let role = grant.role.as_ref().unwrap();
    assert_eq!(vector.settings(), r#"{"a":1}"#);
    assert_eq!((grant.trigger, grant.now_unix_ms), (Trigger::Update, 7));
    assert_eq!(grant.previous[0].source, Source::Session);
    assert_eq!(grant.actor.as_ref().unwrap().groups, ["ops"]);
    assert_eq!((role.mount.as_str(), role.max_ttl_seconds), ("prod/", Some(60)));
    assert_eq!((role.tags[0].name.as_str(), role.tags[0].value.as_str()), ("team", "data"));
    assert_eq!(role.credential_type, "assumed_role");
    assert_eq!(vector.expect().fuel_max, Some(9));
    let finding = &vector.expect().findings.as_ref().unwrap()[0];
    assert_eq!((finding.document, finding.patch), (None, Some(ExpectedPatch::Cures)));
}

#[test]
fn a_place_in_a_document_is_a_place_in_the_file() {
    let vector = Vector::read(SMALL.as_bytes()).unwrap();
    let at = |document, pointer: &str| {
        let place = vector.place(&Location { document, pointer: pointer.into() })?;
        SMALL.get(place)
    };
    assert_eq!(at(0, "/Statement/0/Action"), Some(r#""s3:*""#));
    assert_eq!(at(1, "/Statement/Effect"), Some(r#""Deny""#));
    assert_eq!(at(2, ""), None);
}

#[test]
fn a_new_expectation_leaves_the_rest_of_the_file_alone() {
    let vector = Vector::read(SMALL.as_bytes()).unwrap();
    let anything =
        Expect { verdict: ExpectedVerdict::Any, message: None, findings: None, fuel_max: None };
    let changed = vector.with_expectation(SMALL, &anything).unwrap();
    let (before, after) = changed.split_once(r#""expect": "#).unwrap();
    assert!(SMALL.starts_with(before));
    assert_eq!(after, "{\n    \"verdict\": \"any\"\n  }\n}\n");
    assert_eq!(*Vector::read(changed.as_bytes()).unwrap().expect(), anything);
}

#[test]
fn a_mistake_in_a_vector_is_told_with_its_line() {
    let unknown = error(&SMALL.replace("\"about\"", "\"abuot\""));
    assert!(unknown.contains("unknown field `abuot`") && unknown.contains("line 2"), "{unknown}");
    let verdict = error(&SMALL.replace("\"pass\"", "\"ok\""));
    assert!(verdict.contains("there is no verdict `ok`; there are any, pass"), "{verdict}");
    assert!(verdict.contains("line 10"), "{verdict}");
    let document = error(&SMALL.replace("\"Deny\"", "\"deny\""));
    assert!(document.starts_with("`grant.documents[1]` is not a policy document: "), "{document}");
    assert_eq!(Vector::read(&[0xff]).unwrap_err().to_string(), "the vector is not UTF-8 text");
}
