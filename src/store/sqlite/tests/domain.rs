//! Settings, mounts, bindings, roles and tokens.

use super::*;

#[tokio::test]
async fn a_setting_reads_back_and_is_overwritten() {
    let store = store().await;
    assert_eq!(store.setting("id").await.unwrap(), None);
    store.put_setting("id", b"one").await.unwrap();
    store.put_setting("id", b"two").await.unwrap();
    assert_eq!(store.setting("id").await.unwrap().unwrap(), b"two");
}

#[tokio::test]
async fn settings_are_initialised_all_or_none() {
    let store = store().await;
    let first = [("a", b"1".to_vec()), ("b", b"2".to_vec())];
    assert!(store.init_settings(&first).await.unwrap());
    let second = [("c", b"3".to_vec()), ("b", b"4".to_vec())];
    assert!(!store.init_settings(&second).await.unwrap());
    assert_eq!(store.setting("c").await.unwrap(), None);
    assert_eq!(store.setting("b").await.unwrap().unwrap(), b"2");
}

#[tokio::test]
async fn mounts_read_back_sorted_by_path() {
    let store = store().await;
    let other = Mount {
        options: serde_json::json!({"a": "b"}),
        tuning: MountTuning { default_lease_ttl: 60, ..MountTuning::default() },
        ..mount_named("mount-2", "a/")
    };
    store.put_mount(&other).await.unwrap();
    assert_eq!(store.mounts().await.unwrap(), [other, mount()]);
    let moved = Mount { path: "z/".parse().unwrap(), ..mount() };
    store.put_mount(&moved).await.unwrap();
    assert_eq!(store.mounts().await.unwrap()[1], moved);
}

#[tokio::test]
async fn two_mounts_never_share_a_path() {
    let store = store().await;
    let rival = mount_named("mount-2", "aws/");
    assert!(matches!(store.put_mount(&rival).await, Err(StoreError::Conflict)));
    store.remove_mount(&mount().id).await.unwrap();
    store.put_mount(&rival).await.unwrap();
    assert_eq!(store.mounts().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_removed_mount_keeps_its_binding_and_takes_nothing_new() {
    let store = store().await;
    let id = mount().id;
    let binding = AccountBinding { access_key: "AKIA".to_owned(), ..AccountBinding::default() };
    let config = LeaseConfig { lease: 1, lease_max: 2 };
    store.put_account_binding(&id, &binding).await.unwrap();
    store.put_lease_config(&id, config).await.unwrap();
    store.put_role(&role("deploy", 1)).await.unwrap();
    assert!(store.role(&id, &"deploy".parse().unwrap()).await.unwrap().is_some());

    store.remove_mount(&id).await.unwrap();

    assert_eq!(store.mounts().await.unwrap()[0].state, MountState::Removed);
    assert_eq!(store.account_binding(&id).await.unwrap(), Some(binding));
    assert_eq!(store.lease_config(&id).await.unwrap(), None);
    assert_eq!(store.role(&id, &"deploy".parse().unwrap()).await.unwrap(), None);
    assert!(store.role_names(&id).await.unwrap().is_empty());
    for refused in [
        store.put_role(&role("deploy", 1)).await,
        store.put_lease_config(&id, config).await,
        store.begin_lease(&pending(1, "t")).await,
    ] {
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_binding_reads_back_with_its_sealed_key() {
    let store = store().await;
    let id = mount().id;
    assert_eq!(store.account_binding(&id).await.unwrap(), None);
    let binding = AccountBinding {
        sealed_secret_key: Some(vec![1, 0, 255]),
        region: "eu-west-1".to_owned(),
        max_retries: -1,
        ..AccountBinding::default()
    };
    store.put_account_binding(&id, &binding).await.unwrap();
    assert_eq!(store.account_binding(&id).await.unwrap().unwrap(), binding);
    let without = AccountBinding { sealed_secret_key: None, ..binding };
    store.put_account_binding(&id, &without).await.unwrap();
    assert_eq!(store.account_binding(&id).await.unwrap().unwrap(), without);
}

#[tokio::test]
async fn rows_of_an_unknown_mount_are_refused_by_name() {
    let store = Sqlite::temporary().unwrap();
    let refused = store.put_role(&role("deploy", 1)).await.unwrap_err();
    assert!(refused.to_string().contains("mount `mount-1` is not in the store"), "{refused}");
}

#[tokio::test]
async fn a_role_is_written_only_over_the_version_before_it() {
    let store = store().await;
    let (id, name) = (mount().id, "deploy".parse().unwrap());
    assert!(matches!(store.put_role(&role("deploy", 2)).await, Err(StoreError::Conflict)));
    store.put_role(&role("deploy", 1)).await.unwrap();
    assert_eq!(*store.role(&id, &name).await.unwrap().unwrap(), role("deploy", 1));
    for stale in [1, 3] {
        let refused = store.put_role(&role("deploy", stale)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{stale}");
    }
    store.put_role(&role("deploy", 2)).await.unwrap();
    assert_eq!(*store.role(&id, &name).await.unwrap().unwrap(), role("deploy", 2));
    store.remove_role(&id, &name).await.unwrap();
    assert_eq!(store.role(&id, &name).await.unwrap(), None);
    store.put_role(&role("deploy", 1)).await.unwrap();
}

#[tokio::test]
async fn role_names_come_in_the_order_of_their_bytes() {
    let store = store().await;
    for name in ["b", "a.b", "B", "a-b", "a"] {
        store.put_role(&role(name, 1)).await.unwrap();
    }
    let names = store.role_names(&mount().id).await.unwrap();
    let names: Vec<&str> = names.iter().map(RoleName::as_str).collect();
    assert_eq!(names, ["B", "a", "a-b", "a.b", "b"]);
}

#[tokio::test]
async fn a_token_reads_back_by_digest_and_by_accessor() {
    let store = store().await;
    let mut token = token("a", None);
    store.create_token(&token).await.unwrap();
    assert_eq!(*store.token(&digest("a")).await.unwrap().unwrap(), token);
    assert_eq!(*store.token_by_accessor(&accessor("a")).await.unwrap().unwrap(), token);
    assert_eq!(store.token(&digest("b")).await.unwrap(), None);
    token.expires_at = Some(at(9999));
    token.last_renewal = Some(at(50));
    token.meta = None;
    store.update_token(&token).await.unwrap();
    assert_eq!(*store.token(&digest("a")).await.unwrap().unwrap(), token);
}

#[tokio::test]
async fn a_limited_token_is_used_up_and_never_gets_uses_back() {
    let store = store().await;
    let limited = Token { num_uses: 2, ..token("a", None) };
    store.create_token(&limited).await.unwrap();
    assert_eq!(store.use_token(&digest("a")).await.unwrap(), Some(1));
    store.update_token(&limited).await.unwrap(); // a renewal that read it before that use
    assert_eq!(store.token(&digest("a")).await.unwrap().unwrap().num_uses, 1);
    assert_eq!(store.use_token(&digest("a")).await.unwrap(), Some(0));
    assert_eq!(store.use_token(&digest("a")).await.unwrap(), None);
    assert_eq!(store.token(&digest("a")).await.unwrap().unwrap().num_uses, -1);
    store.create_token(&token("free", None)).await.unwrap();
    assert_eq!(store.use_token(&digest("free")).await.unwrap(), Some(i64::MAX));
    assert_eq!(store.use_token(&digest("unknown")).await.unwrap(), None);
}

#[tokio::test]
async fn ending_a_token_ends_its_descendants_and_makes_their_leases_due() {
    let store = store().await;
    for (name, parent) in [
        ("root", None),
        ("a", Some("root")),
        ("aa", Some("a")),
        ("aaa", Some("aa")),
        ("b", Some("root")),
    ] {
        store.create_token(&token(name, parent)).await.unwrap();
    }
    for (number, holder) in [(1, "a"), (2, "aaa"), (3, "b"), (4, "root")] {
        store.begin_lease(&active(number, holder, at(5000))).await.unwrap();
    }
    assert!(store.token(&digest("aaa")).await.unwrap().unwrap().ended_at.is_none());

    assert_eq!(store.end_token_tree(&digest("a"), at(100)).await.unwrap(), 3);

    for (name, ended_at) in
        [("a", Some(at(100))), ("aaa", Some(at(100))), ("b", None), ("root", None)]
    {
        assert_eq!(store.token(&digest(name)).await.unwrap().unwrap().ended_at, ended_at, "{name}");
    }
    let mut due = due(&store, at(100)).await;
    due.sort();
    assert_eq!(due, [(lease_id(1), true), (lease_id(2), true)]);
    assert_eq!(store.next_due().await.unwrap(), Some(at(100)));
    assert_eq!(store.end_token_tree(&digest("a"), at(200)).await.unwrap(), 0);
    assert_eq!(store.token(&digest("a")).await.unwrap().unwrap().ended_at, Some(at(100)));
}

#[tokio::test]
async fn an_ended_token_does_not_come_back() {
    let store = store().await;
    store.create_token(&token("a", None)).await.unwrap();
    store.end_token_tree(&digest("a"), at(100)).await.unwrap();
    let late = store.update_token(&token("a", None)).await; // a renewal that read it before the end
    assert!(matches!(late, Err(StoreError::Conflict)));
    assert_eq!(store.token(&digest("a")).await.unwrap().unwrap().ended_at, Some(at(100)));
    assert_eq!(store.use_token(&digest("a")).await.unwrap(), None);
    for parent in ["a", "unknown"] {
        let orphan = store.create_token(&token("child", Some(parent))).await;
        assert!(matches!(orphan, Err(StoreError::Conflict)), "{parent}");
    }
}

#[tokio::test]
async fn a_new_token_never_takes_the_place_of_another_with_its_id() {
    let store = store().await;
    let first = Token { policies: vec!["ci".to_owned()], ..token("a", None) };
    store.create_token(&first).await.unwrap();
    let mut second = Token { policies: vec!["root".to_owned()], ..token("b", None) };
    second.digest = digest("a");
    assert!(matches!(store.create_token(&second).await, Err(StoreError::Conflict)));
    assert_eq!(*store.token(&digest("a")).await.unwrap().unwrap(), first);
    assert_eq!(store.token_by_accessor(&accessor("b")).await.unwrap(), None);

    store.end_token_tree(&digest("a"), at(100)).await.unwrap();
    assert!(matches!(store.create_token(&second).await, Err(StoreError::Conflict)), "an ended one");
    assert!(matches!(store.update_token(&token("unknown", None)).await, Err(StoreError::Conflict)));
    assert_eq!(store.token(&digest("unknown")).await.unwrap(), None, "a change makes none");
}

#[tokio::test]
async fn expired_tokens_are_those_whose_time_is_over() {
    let store = store().await;
    for (name, expires_at) in [("late", Some(at(30))), ("early", Some(at(10))), ("never", None)] {
        store.create_token(&Token { expires_at, ..token(name, None) }).await.unwrap();
    }
    assert_eq!(store.next_due().await.unwrap(), Some(at(10)));
    assert_eq!(store.expired_tokens(at(9), 10).await.unwrap(), []);
    assert_eq!(store.expired_tokens(at(30), 10).await.unwrap(), [digest("early"), digest("late")]);
    assert_eq!(store.expired_tokens(at(30), 1).await.unwrap(), [digest("early")]);
    store.end_token_tree(&digest("early"), at(31)).await.unwrap();
    assert_eq!(store.expired_tokens(at(99), 10).await.unwrap(), [digest("late")]);
}
