//! KMS: what a key encrypted opens with that key and context alone, while it is enabled and the caller may.

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::primitives::Blob;

use crate::support::{World, admin};

fn kms(world: &World, credentials: Credentials) -> aws_sdk_kms::Client {
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .http_client(world.aws.http_client())
        .build();
    aws_sdk_kms::Client::from_conf(config)
}

async fn encrypt(client: &aws_sdk_kms::Client, key: &str) -> Result<Blob, String> {
    let request = client.encrypt().key_id(key).plaintext(Blob::new("secret"));
    let answer = request.encryption_context("for", "test").send().await;
    match answer {
        Ok(answer) => Ok(answer.ciphertext_blob.unwrap()),
        Err(error) => Err(error.code().unwrap_or_default().to_owned()),
    }
}

async fn decrypt(
    client: &aws_sdk_kms::Client,
    key: &str,
    blob: &Blob,
    context: &str,
) -> Result<String, String> {
    let request = client.decrypt().key_id(key).ciphertext_blob(blob.clone());
    match request.encryption_context("for", context).send().await {
        Ok(answer) => Ok(String::from_utf8(answer.plaintext.unwrap().into_inner()).unwrap()),
        Err(error) => Err(error.code().unwrap_or_default().to_owned()),
    }
}

#[tokio::test]
async fn what_a_key_encrypted_opens_with_that_key_and_context_alone() {
    let world = World::new();
    let client = kms(&world, admin());
    assert_eq!(encrypt(&client, "alias/a").await, Err("NotFoundException".to_owned()));
    let (one, other) = (world.aws.create_kms_key("alias/a"), world.aws.create_kms_key("alias/b"));
    let blob = encrypt(&client, "alias/a").await.unwrap();
    assert!(!blob.as_ref().windows(6).any(|bytes| bytes == b"secret"));
    let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{one}");
    for name in ["alias/a", &one, &arn] {
        assert_eq!(decrypt(&client, name, &blob, "test").await.as_deref(), Ok("secret"), "{name}");
    }
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(decrypt(&client, &one, &blob, "else").await, refused("InvalidCiphertextException"));
    assert_eq!(decrypt(&client, &other, &blob, "test").await, refused("IncorrectKeyException"));
    let mut changed = blob.clone().into_inner();
    *changed.last_mut().unwrap() ^= 1;
    let changed = decrypt(&client, &one, &Blob::new(changed), "test").await;
    assert_eq!(changed, refused("InvalidCiphertextException"));
}

#[tokio::test]
async fn a_disabled_key_can_only_be_looked_at() {
    let world = World::new();
    let client = kms(&world, admin());
    let key = world.aws.create_kms_key("alias/a");
    let blob = encrypt(&client, &key).await.unwrap();
    world.aws.disable_kms_key(&key);
    assert_eq!(encrypt(&client, &key).await, Err("DisabledException".to_owned()));
    assert_eq!(decrypt(&client, &key, &blob, "test").await, Err("DisabledException".to_owned()));
    let told = client.describe_key().key_id("alias/a").send().await.unwrap();
    let told = told.key_metadata.unwrap();
    assert_eq!((told.key_id(), told.enabled()), (key.as_str(), false));
    world.aws.enable_kms_key(&key);
    assert_eq!(decrypt(&client, &key, &blob, "test").await.as_deref(), Ok("secret"));
}

#[tokio::test]
async fn a_user_needs_a_policy_for_the_key() {
    let world = World::new();
    let key = world.aws.create_kms_key("alias/a");
    let user = world.user_with_key("alice").await;
    let client = kms(&world, user);
    assert_eq!(encrypt(&client, &key).await, Err("AccessDeniedException".to_owned()));
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:Encrypt","Resource":"arn:aws:kms:us-east-1:123456789012:key/{key}"}}]}}"#
    );
    let put = world.iam().put_user_policy().user_name("alice").policy_name("p");
    put.policy_document(document).send().await.unwrap();
    let blob = encrypt(&client, &key).await.unwrap();
    assert_eq!(
        decrypt(&client, &key, &blob, "test").await,
        Err("AccessDeniedException".to_owned())
    );
}
