//! Plugins: what is stored stays as it is, what a name and version point at too, and what is deleted is gone with
//! its bytes.

use super::*;
use crate::model::{
    Binding, Guardrail, Mode, PluginRecord, PluginRef, PluginSignature, PluginTests,
    SemanticVersion, Uploader,
};
use crate::store::{GuardrailStore, PluginStore, PutPlugin};

fn plugin(name: &str, version: &str, hex: &str) -> PluginRecord {
    PluginRecord {
        digest: format!("sha256:{}", hex.repeat(32)).parse().unwrap(),
        name: name.parse().unwrap(),
        version: version.parse().unwrap(),
        bytes: 4,
        imports: vec!["leasehold:guardrail/log@1.0.0".to_owned()],
        manifest: serde_json::json!({ "name": name, "rules": [] }),
        settings_schema: serde_json::json!({ "type": "object" }),
        tests: PluginTests::Passed { cases: 2, most_fuel: 9 },
        signatures: vec![signature("b")],
        uploaded_at: at(5),
        uploaded_by: Uploader { accessor: accessor("x"), display_name: "token-ci".to_owned() },
    }
}

fn signature(key: &str) -> PluginSignature {
    PluginSignature { key_id: format!("ed25519:{key}"), signature: "c2ln".to_owned() }
}

#[tokio::test]
async fn bytes_are_written_once_and_their_name_points_at_them_for_good() {
    let store = store().await;
    let one = plugin("deny-list", "1.0.0", "0a");
    let put =
        |plugin: &PluginRecord, bytes: &[u8]| store.put_plugin(plugin.clone(), bytes.to_vec());
    assert_eq!(put(&one, b"one!").await.unwrap(), PutPlugin::Stored);
    let again = PluginRecord { uploaded_at: at(9), ..one.clone() };
    assert_eq!(put(&again, b"one!").await.unwrap(), PutPlugin::Known);
    let other = plugin("deny-list", "1.0.0", "0b");
    assert_eq!(put(&other, b"two!").await.unwrap(), PutPlugin::Taken(one.digest.clone()));

    assert_eq!(store.plugin(&one.digest).await.unwrap().unwrap(), one, "all of it is kept");
    assert_eq!(store.plugin_component(&one.digest).await.unwrap().unwrap(), b"one!");
    assert_eq!(store.plugin(&other.digest).await.unwrap(), None);
    assert_eq!(store.plugin_component(&other.digest).await.unwrap(), None);
    let points_at = store.plugin_version(&one.name, &one.version).await.unwrap();
    assert_eq!(points_at, Some(one.digest));
}

#[tokio::test]
async fn a_deletion_takes_the_bytes_along_and_frees_the_name() {
    let store = store().await;
    let one = plugin("deny-list", "1.0.0", "0a");
    store.put_plugin(one.clone(), b"one!".to_vec()).await.unwrap();
    assert!(store.delete_plugin_version(&one.name, &one.version).await.unwrap());
    assert!(!store.delete_plugin_version(&one.name, &one.version).await.unwrap());
    assert_eq!(store.plugin_component(&one.digest).await.unwrap(), None);
    let other = plugin("deny-list", "1.0.0", "0b");
    assert_eq!(store.put_plugin(other, b"two!".to_vec()).await.unwrap(), PutPlugin::Stored);
}

#[tokio::test]
async fn signatures_are_added_and_never_doubled() {
    let store = store().await;
    let one = plugin("deny-list", "1.0.0", "0a");
    store.put_plugin(one.clone(), b"one!".to_vec()).await.unwrap();
    assert!(!store.sign_plugin(&one.digest, &[signature("b")]).await.unwrap());
    assert!(store.sign_plugin(&one.digest, &[signature("a"), signature("b")]).await.unwrap());
    let read = store.plugin(&one.digest).await.unwrap().unwrap();
    assert_eq!(read.signatures, [signature("a"), signature("b")]);
    let unknown = plugin("x", "1.0.0", "0c").digest;
    assert!(!store.sign_plugin(&unknown, &[signature("a")]).await.unwrap());
}

#[tokio::test]
async fn a_listing_has_the_versions_of_a_plugin_in_their_order() {
    let store = store().await;
    for (name, version, hex) in [
        ("b", "1.10.0", "01"),
        ("b", "1.9.0", "02"),
        ("a", "2.0.0", "03"),
        ("b", "1.10.0-rc.1", "04"),
    ] {
        store.put_plugin(plugin(name, version, hex), b"four".to_vec()).await.unwrap();
    }
    let listed = store.plugins().await.unwrap();
    let names: Vec<String> = listed.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a:2.0.0", "b:1.9.0", "b:1.10.0-rc.1", "b:1.10.0"]);
    let newest: SemanticVersion = "1.10.0".parse().unwrap();
    let last = listed.last().unwrap();
    assert_eq!((&last.version, last.bytes, last.uploaded_at), (&newest, 4, at(5)));
}

#[tokio::test]
async fn what_a_guardrail_is_bound_to_stays() {
    let store = store().await;
    let one = plugin("deny-list", "1.0.0", "0a");
    store.put_plugin(one.clone(), b"one!".to_vec()).await.unwrap();
    let binding = Binding {
        plugin: PluginRef::Digest(one.digest.clone()),
        ..Binding::shipped("least-privilege", Mode::Warn)
    };
    let (name, written_by) = ("guest".parse().unwrap(), "token-ci".to_owned());
    let guardrail = Guardrail { name, version: 1, binding, written_at: at(1), written_by };
    store.put_guardrail(&guardrail).await.unwrap();
    let refused = store.delete_plugin_version(&one.name, &one.version).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.plugin_component(&one.digest).await.unwrap().unwrap(), b"one!");
    store.remove_guardrail(&guardrail.name).await.unwrap();
    assert!(store.delete_plugin_version(&one.name, &one.version).await.unwrap());
}
