//! How the set that judges is made while others let go of components.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use serde_json::json;

use super::support::Bench;
use crate::gate::{Member, component_digest};
use crate::model::{
    Accessor, Binding, Mode, PluginDigest, PluginRecord, PluginRef, PluginTests, Timestamp,
    Uploader,
};
use crate::store::PluginStore;

const HOSTILE: &[u8] = include_bytes!("../../../plugins/fixtures/hostile/hostile.wasm");
/// Stored, and nothing that could be compiled.
const NO_COMPONENT: &[u8] = b"no component";

async fn upload(bench: &Bench, name: &str, component: &[u8]) -> PluginDigest {
    let digest = component_digest(component).unwrap();
    let record = PluginRecord {
        digest: digest.clone(),
        name: name.parse().unwrap(),
        version: "0.1.0".parse().unwrap(),
        bytes: u64::try_from(component.len()).unwrap(),
        imports: Vec::new(),
        manifest: json!({}),
        settings_schema: json!({}),
        tests: PluginTests::None,
        signatures: Vec::new(),
        uploaded_at: Timestamp::from_millis(1),
        uploaded_by: Uploader {
            accessor: Accessor("a".to_owned()),
            display_name: "root".to_owned(),
        },
    };
    bench.world.store.put_plugin(record, component.to_vec()).await.unwrap();
    digest
}

fn member(name: &str, digest: PluginDigest) -> Member {
    let binding =
        Binding { plugin: PluginRef::Digest(digest), ..Binding::shipped("", Mode::Enforce) };
    Member { name: name.parse().unwrap(), binding, suspension: None }
}

#[tokio::test]
async fn a_component_that_is_let_go_while_a_set_is_made_is_not_missing_from_it() {
    let bench = Bench::with_mount(Mode::Warn).await;
    let good = member("good", upload(&bench, "hostile", HOSTILE).await);
    let bad = member("bad", upload(&bench, "bad", NO_COMPONENT).await);
    // Loaded, and of no set that judges: as during a try.
    let tried = bench.engine.prepared(vec![good.clone()], Mode::Off).await.unwrap();
    assert_eq!(tried.broken(), []);

    let mut made = pin!(bench.engine.prepared(vec![good, bad], Mode::Off));
    // The first was found to be loaded, the second is being read, unless the machine is in a hurry.
    let begun = poll_fn(|context| Poll::Ready(made.as_mut().poll(context))).await;
    bench.engine.parts.gate.forget_unused();
    let set = match begun {
        Poll::Ready(set) => set.unwrap(),
        Poll::Pending => made.await.unwrap(),
    };

    let broken: Vec<&str> = set.broken().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(broken, ["bad"], "{:?}", set.broken());
}
