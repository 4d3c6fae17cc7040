//! Auth mounts and what hangs on them: what a removal takes along, and what may not be written after it.

use super::*;
use crate::model::{AppRole, AuthMethod, AuthMount, AuthMountId, Login, TokenParams};
use crate::store::AuthMethodStore;

fn auth_mount(id: &str, path: &str) -> AuthMount {
    AuthMount {
        id: AuthMountId(id.to_owned()),
        path: path.parse().unwrap(),
        method: AuthMethod::AppRole,
        accessor: "auth_approle_00000000".to_owned(),
        description: String::new(),
        options: serde_json::Value::Null,
        local: false,
        seal_wrap: false,
        external_entropy_access: false,
        token_type: "default-service".to_owned(),
        tuning: MountTuning::default(),
    }
}

fn app_role(name: &str, role_id: &str) -> AppRole {
    AppRole {
        name: name.to_owned(),
        role_id: role_id.to_owned(),
        bind_secret_id: true,
        secret_id_bound_cidrs: Vec::new(),
        secret_id_num_uses: 0,
        secret_id_ttl: 0,
        local_secret_ids: false,
        token: TokenParams::default(),
    }
}

fn login_token(name: &str, mount: &AuthMount) -> Token {
    let login = Login { mount: mount.id.clone(), name: "ci".to_owned(), max_ttl: 60 };
    let bound_cidrs = vec!["10.0.0.0/8".parse().unwrap()];
    Token { login: Some(login), bound_cidrs, ..token(name, None) }
}

#[tokio::test]
async fn a_removed_mount_ends_its_tokens_and_takes_no_new_one() {
    let store = store().await;
    let (one, two) = (auth_mount("1", "a/"), auth_mount("2", "b/"));
    for mount in [&one, &two] {
        store.put_auth_mount(mount).await.unwrap();
        store.put_app_role(&mount.id, &app_role("ci", "id")).await.unwrap();
    }
    store.create_token(&login_token("x", &one)).await.unwrap();
    store.create_token(&token("child", Some("x"))).await.unwrap();
    store.create_token(&login_token("y", &two)).await.unwrap();
    let read = store.token(&digest("x")).await.unwrap().unwrap();
    assert_eq!(*read, login_token("x", &one), "all of it is kept");

    assert_eq!(store.remove_auth_mount(&one.id, at(9)).await.unwrap(), 2);
    let ended = |name: &'static str| {
        let store = &store;
        async move { store.token(&digest(name)).await.unwrap().unwrap().ended_at }
    };
    assert_eq!((ended("x").await, ended("child").await), (Some(at(9)), Some(at(9))));
    assert_eq!(ended("y").await, None);
    assert!(store.app_role(&one.id, "ci").await.unwrap().is_none());
    assert!(store.app_role(&two.id, "ci").await.unwrap().is_some());
    // A login that was under way.
    let late = store.create_token(&login_token("z", &one)).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
}

#[tokio::test]
async fn a_path_and_a_role_id_belong_to_one() {
    let store = store().await;
    let mount = auth_mount("1", "a/");
    store.put_auth_mount(&mount).await.unwrap();
    let taken = store.put_auth_mount(&auth_mount("2", "a/")).await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    store.put_app_role(&mount.id, &app_role("ci", "id")).await.unwrap();
    let taken = store.put_app_role(&mount.id, &app_role("cd", "id")).await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    assert_eq!(store.login_names(&mount.id).await.unwrap(), ["ci"]);
}
