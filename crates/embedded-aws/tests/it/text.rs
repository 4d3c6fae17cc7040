//! Text: what goes in by form comes back by XML, letter for letter; documents percent-encoded.

use aws_sdk_iam::types::Tag;

use crate::support::{World, refusal};

#[tokio::test]
async fn tags_come_back_letter_for_letter() {
    let world = World::new();
    let values = ["grüße", "日本 語", "a+b=c @ d", "x/y:z.w_v-u", "𝐀"];
    world.aws.create_user("a", "/", &[]).unwrap();
    for (n, value) in values.iter().enumerate() {
        let tag = Tag::builder().key(format!("ключ {n}")).value(*value).build().unwrap();
        world.iam().tag_user().user_name("a").tags(tag).send().await.unwrap();
    }
    let listed = world.iam().list_user_tags().user_name("a").send().await.unwrap();
    let got: Vec<_> = listed.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    for (n, value) in values.iter().enumerate() {
        assert!(got.contains(&(format!("ключ {n}").as_str(), *value)), "{value}");
    }
    assert_eq!(world.aws.user("a").unwrap().tags.get("ключ 1").unwrap(), "日本 語");
}

#[tokio::test]
async fn documents_come_back_percent_encoded_and_are_what_was_sent() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    let document = "{\r\n\t\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"Allow\", \
                    \"Action\": \"s3:Get*\", \"Resource\": \"arn:aws:s3:::b/ü%25+%2F<&>'~ \"}}";
    let put = world.iam().put_user_policy().user_name("a").policy_name("p");
    put.policy_document(document).send().await.unwrap();
    let got = world.iam().get_user_policy().user_name("a").policy_name("p").send().await.unwrap();

    assert_eq!(got.policy_name(), "p");
    let encoded = got.policy_document();
    assert!(encoded.starts_with("%7B%0D%0A%09%22Version%22%3A%20%222012-10-17%22"), "{encoded}");
    assert!(encoded.contains("b%2F%C3%BC%2525%2B%252F%3C%26%3E%27~%20%22"), "{encoded}");
    assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"%-_.~".contains(&b)));
    assert_eq!(world.aws.user("a").unwrap().inline["p"], document);
}

#[tokio::test]
async fn managed_documents_come_back_percent_encoded_too() {
    let world = World::new();
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::ü 100%"}}"#;
    let arn = world.aws.create_managed_policy("p", document).unwrap();
    let got =
        world.iam().get_policy_version().policy_arn(arn).version_id("v1").send().await.unwrap();
    let encoded = got.policy_version().unwrap().document().unwrap();
    assert!(encoded.ends_with("s3%3A%3A%3A%C3%BC%20100%25%22%7D%7D"), "{encoded}");
}

#[tokio::test]
async fn characters_that_iam_does_not_take_in_documents_are_refused() {
    let world = World::new();
    world.aws.create_user("a", "/", &[]).unwrap();
    for odd in ["€", "日", "\u{7}"] {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::{odd}"}}}}"#
        );
        let put = world.iam().put_user_policy().user_name("a").policy_name("p");
        assert_eq!(refusal(put.policy_document(document).send().await), "400 ValidationError");
    }
    assert!(world.aws.user("a").unwrap().inline.is_empty());
}
