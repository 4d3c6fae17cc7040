//! Entities and groups over HTTP: made by logins, written by hand, and what they add to tokens.

use leasehold::store::faulty::{Fault, Moment};
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";

fn broker() -> TestBroker {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("sys/auth/people", &json!({ "type": "userpass" })).expect(204);
    root.post("auth/people/users/bob", &json!({ "password": "one" })).expect(204);
    broker
}

fn policy(root: &Client, name: &str, text: &str) {
    root.put(&format!("sys/policies/acl/{name}"), &json!({ "policy": text })).expect(204);
}

fn log_in(root: &Client) -> Reply {
    root.anonymous().post("auth/people/login/bob", &json!({ "password": "one" })).expect(200)
}

fn bob(root: &Client) -> (Client, String) {
    let reply = log_in(root);
    let auth = &reply.json["auth"];
    let entity = auth["entity_id"].as_str().unwrap().to_owned();
    (root.with_token(auth["client_token"].as_str().unwrap()), entity)
}

fn accessor(root: &Client) -> Value {
    root.get("sys/auth").expect(200).data()["people/"]["accessor"].clone()
}

#[test]
fn a_login_makes_an_entity_once_and_finds_it_again() {
    let mut broker = broker();
    let (_, first) = bob(&broker.root());
    broker.restart();
    let root = broker.root();
    let (token, again) = bob(&root);
    assert_eq!(first, again);
    assert_eq!(token.get("auth/token/lookup-self").expect(200).data()["entity_id"], json!(first));
    let entity = root.get(&format!("identity/entity/id/{first}")).expect(200);
    let name = entity.text_of("name");
    assert!(name.starts_with("entity_"), "{name}");
    let alias = &entity.data()["aliases"][0];
    for (member, value) in [
        ("name", json!("bob")),
        ("mount_accessor", accessor(&root)),
        ("mount_path", json!("auth/people/")),
        ("mount_type", json!("userpass")),
        ("canonical_id", json!(first)),
        ("metadata", json!({ "username": "bob" })),
    ] {
        assert_eq!(alias[member], value, "{member}");
    }
    let keys = root.list("identity/entity/id").expect(200);
    assert_eq!(keys.data()["keys"], json!([first]));
    assert_eq!(keys.data()["key_info"][&first]["name"], json!(name));
    // Tokens that nobody logged in for stand for nobody.
    let own = root.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.data()["entity_id"], "");
    root.delete("sys/auth/people").expect(204);
    let entity = root.get(&format!("identity/entity/name/{name}")).expect(200);
    assert_eq!(entity.data()["aliases"], json!([]), "an alias goes with its mount");
}

#[test]
fn policies_of_entities_and_groups_join_the_tokens_at_its_next_request() {
    let broker = broker();
    let root = broker.root();
    policy(&root, "creds", r#"path "aws/creds/r" { capabilities = ["read"] }"#);
    policy(&root, "roles", r#"path "aws/roles/r" { capabilities = ["read"] }"#);
    let (token, id) = bob(&root);
    assert_eq!(token.get("aws/creds/r").expect(403).errors(), [DENIED]);

    let entity = format!("identity/entity/id/{id}");
    root.post(&entity, &json!({ "policies": "creds" })).expect(204);
    token.get("aws/creds/r").expect(200);
    token.get("aws/roles/r").expect(403);
    let group = json!({ "name": "ops", "policies": ["roles"], "member_entity_ids": [id] });
    let made = root.post("identity/group", &group).expect(200);
    token.get("aws/roles/r").expect(200);

    let own = token.get("auth/token/lookup-self").expect(200);
    assert_eq!(
        (&own.data()["policies"], &own.data()["identity_policies"]),
        (&json!(["default"]), &json!(["creds", "roles"]))
    );
    let auth = log_in(&root).json["auth"].clone();
    assert_eq!(
        (&auth["policies"], &auth["token_policies"], &auth["identity_policies"]),
        (&json!(["creds", "default", "roles"]), &json!(["default"]), &json!(["creds", "roles"]))
    );
    let paths = json!({ "paths": ["aws/creds/r", "aws/roles/r"], "token": token.token() });
    let told = root.post("sys/capabilities", &paths).expect(200);
    assert_eq!(told.data()["aws/roles/r"], json!(["read"]));

    // A group in a group: its members are in both.
    let outer = json!({
        "policies": ["creds"], "member_group_ids": [made.text_of("id")], "metadata": { "a": "b" },
    });
    root.post(&entity, &json!({ "policies": [] })).expect(204);
    token.get("aws/creds/r").expect(403);
    root.post("identity/group/name/outer", &outer).expect(200);
    token.get("aws/creds/r").expect(200);
    let outer_id = root.get("identity/group/name/Outer").expect(200).text_of("id");
    let shown = root.get(&entity).expect(200);
    assert_eq!(shown.data()["direct_group_ids"], json!([made.text_of("id")]));
    assert_eq!(shown.data()["inherited_group_ids"], json!([outer_id]));
    let ring = json!({ "member_group_ids": [outer_id] });
    let told = root.post("identity/group/name/ops", &ring).expect(400).errors();
    assert_eq!(told, [format!("cyclic relationship detected for member group ID \"{outer_id}\"")]);
    root.delete("identity/group/name/ops").expect(204);
    token.get("aws/roles/r").expect(403);
    token.get("aws/creds/r").expect(403);
}

#[test]
fn templates_are_filled_with_whoever_asks() {
    let broker = broker();
    let root = broker.root();
    let accessor = accessor(&root);
    let text = format!(
        r#"path "aws/roles/{{{{identity.entity.name}}}}" {{ capabilities = ["read"] }}
           path "aws/roles/of-{{{{identity.entity.aliases.{}.name}}}}-*" {{ capabilities = ["read"] }}
           path "aws/roles/{{{{identity.entity.metadata.team}}}}" {{ capabilities = ["read"] }}"#,
        accessor.as_str().unwrap()
    );
    policy(&root, "own", &text);
    root.post("auth/people/users/bob", &json!({ "token_policies": ["own"] })).expect(204);
    let (token, id) = bob(&root);
    root.post(&format!("identity/entity/id/{id}"), &json!({ "name": "robert" })).expect(204);
    for role in ["robert", "of-bob-x", "of-eve-x", "blue"] {
        broker.write_role(role, crate::support::NARROW).expect(204);
    }
    token.get("aws/roles/robert").expect(200);
    token.get("aws/roles/of-bob-x").expect(200);
    token.get("aws/roles/of-eve-x").expect(403);
    token.get("aws/roles/blue").expect(403);
    let named = |team: &str| json!({ "metadata": { "team": team } });
    root.post(&format!("identity/entity/id/{id}"), &named("blue")).expect(204);
    token.get("aws/roles/blue").expect(200);
    // In Vault this would open every role.
    root.post(&format!("identity/entity/id/{id}"), &named("*")).expect(204);
    token.get("aws/roles/r").expect(403);
    let nobody = root.post("auth/token/create", &json!({ "policies": ["own"] })).expect(200);
    let nobody = root.with_token(nobody.json["auth"]["client_token"].as_str().unwrap());
    nobody.get("aws/roles/robert").expect(403);
    let bad =
        json!({ "policy": r#"path "a/{{identity.entity.colour}}" { capabilities = ["read"] }"# });
    let told = root.put("sys/policies/acl/bad", &bad).expect(400).errors();
    assert_eq!(
        told,
        ["failed to parse policy: path \"a/{{identity.entity.colour}}\": invalid template"]
    );
}

#[test]
fn default_lets_everybody_read_their_own_entity_alone() {
    let broker = broker();
    let root = broker.root();
    let (token, id) = bob(&root);
    let other = root.post("identity/entity", &json!({ "name": "eve" })).expect(200).text_of("id");
    let own = token.get(&format!("identity/entity/id/{id}")).expect(200);
    let name = own.text_of("name");
    token.get(&format!("identity/entity/name/{name}")).expect(200);
    token.get(&format!("identity/entity/id/{other}")).expect(403);
    token.post(&format!("identity/entity/id/{id}"), &json!({ "policies": "root" })).expect(403);
    let told = root.post(&format!("identity/entity/id/{id}"), &json!({ "policies": "root" }));
    assert_eq!(told.expect(400).errors(), ["policies cannot contain root"]);
}

#[test]
fn who_is_disabled_or_removed_opens_nothing_with_any_token() {
    let broker = broker();
    let root = broker.root();
    let (token, id) = bob(&root);
    let child = token.get("auth/token/lookup-self").expect(200);
    assert_eq!(child.data()["entity_id"], json!(id));
    let entity = format!("identity/entity/id/{id}");
    root.post(&entity, &json!({ "disabled": true })).expect(204);
    assert_eq!(token.get("auth/token/lookup-self").expect(403).errors(), [DENIED]);
    let login = root.anonymous().post("auth/people/login/bob", &json!({ "password": "one" }));
    assert_eq!(login.expect(403).errors(), [DENIED]);
    root.post(&entity, &json!({ "disabled": false })).expect(204);
    token.get("auth/token/lookup-self").expect(200);
    root.delete(&entity).expect(204);
    root.get(&entity).expect(404);
    assert_eq!(token.get("auth/token/lookup-self").expect(403).errors(), [DENIED]);
    let (_, again) = bob(&root);
    assert_ne!(again, id, "the next login is somebody new");
}

#[test]
fn an_alias_written_by_hand_says_who_logs_in() {
    let broker = broker();
    let root = broker.root();
    let accessor = accessor(&root);
    let eve = root.post("identity/entity", &json!({ "name": "eve", "metadata": { "a": "b" } }));
    let eve = eve.expect(200).text_of("id");
    let alias = json!({
        "name": "bob", "canonical_id": eve, "mount_accessor": accessor,
        "custom_metadata": { "shift": "night" },
    });
    let written = root.post("identity/entity-alias", &alias).expect(200);
    assert_eq!(written.data()["canonical_id"], json!(eve));
    let (_, id) = bob(&root);
    assert_eq!(id, eve);
    let path = format!("identity/entity-alias/id/{}", written.text_of("id"));
    let shown = root.get(&path).expect(200);
    assert_eq!(shown.data()["custom_metadata"], json!({ "shift": "night" }));
    let lookup = json!({ "alias_name": "BOB", "alias_mount_accessor": accessor });
    let found = root.post("identity/lookup/entity", &lookup).expect(200);
    assert_eq!(found.text_of("id"), eve);
    root.post("identity/lookup/entity", &json!({ "name": "nobody" })).expect(204);
    let second = json!({ "name": "other", "canonical_id": eve, "mount_accessor": accessor });
    let told = root.post("identity/entity-alias", &second).expect(400).errors();
    assert!(told[0].starts_with("the entity has an alias at that mount already"), "{told:?}");
    let bad = json!({ "name": "x", "canonical_id": eve, "mount_accessor": "auth_none_1" });
    let told = root.post("identity/entity-alias", &bad).expect(400).errors();
    assert_eq!(told, ["invalid mount accessor \"auth_none_1\""]);
    root.delete(&path).expect(204);
    root.get(&path).expect(404);
    let (_, id) = bob(&root);
    assert_ne!(id, eve);
}

#[test]
fn an_alias_that_moves_when_the_power_goes_is_one_entitys_and_never_nobodys() {
    for (moment, moved) in [(Moment::BeforeCommit, false), (Moment::AfterCommit, true)] {
        let mut broker = broker();
        let root = broker.root();
        let (_, old) = bob(&root);
        let eve = root.post("identity/entity", &json!({ "name": "eve" })).expect(200).text_of("id");
        let alias = json!({
            "name": "bob", "canonical_id": eve, "mount_accessor": accessor(&root),
        });
        broker.store().spoil(1, Fault::PowerLoss(moment));
        root.post("identity/entity-alias", &alias).expect(500);
        broker.store().power_on();
        broker.restart();

        let root = broker.root();
        let aliases = root.list("identity/entity-alias/id").expect(200);
        assert_eq!(aliases.data()["keys"].as_array().unwrap().len(), 1, "{moment:?}");
        let (_, now) = bob(&root);
        assert_eq!(now, if moved { eve } else { old }, "{moment:?}");
        assert_eq!(
            root.list("identity/entity/id").expect(200).data()["keys"].as_array().unwrap().len(),
            2
        );
    }
}

#[test]
fn an_alias_that_cannot_move_stays_where_it_was() {
    let broker = broker();
    let root = broker.root();
    let (_, old) = bob(&root);
    let eve = root.post("identity/entity", &json!({ "name": "eve" })).expect(200).text_of("id");
    let accessor = accessor(&root);
    let made = json!({ "name": "carol", "mount_accessor": accessor });
    root.post("identity/entity-alias", &made).expect(200);
    let found = json!({ "alias_name": "bob", "alias_mount_accessor": accessor });
    let found = root.post("identity/lookup/entity", &found).expect(200);
    let id = found.data()["aliases"][0]["id"].as_str().unwrap().to_owned();

    // To another entity, and under a name that somebody else has.
    let taken = json!({ "name": "Carol", "canonical_id": eve });
    let told = root.post(&format!("identity/entity-alias/id/{id}"), &taken).expect(400).errors();
    assert_eq!(told, ["alias with the same name and mount accessor belongs to another entity"]);
    assert_eq!(bob(&root).1, old);
    assert_eq!(
        root.get(&format!("identity/entity/id/{eve}")).expect(200).data()["aliases"],
        json!([])
    );
}

#[test]
fn a_token_role_makes_tokens_for_whom_it_allows() {
    let broker = broker();
    let root = broker.root();
    root.post("auth/token/roles/ci", &json!({ "allowed_entity_aliases": "ci-*" })).expect(204);
    let make = |alias: &str| {
        root.post("auth/token/create/ci", &json!({ "entity_alias": alias, "policies": "default" }))
    };
    let first = make("ci-1").expect(200).json["auth"]["entity_id"].clone();
    assert_eq!(make("CI-1").expect(200).json["auth"]["entity_id"], first);
    assert_ne!(make("ci-2").expect(200).json["auth"]["entity_id"], first);
    assert_eq!(make("eve").expect(400).errors(), ["invalid 'entity_alias' value"]);
    let bare = root.post("auth/token/create", &json!({ "entity_alias": "ci-1" })).expect(400);
    assert_eq!(bare.errors(), ["'entity_alias' is only allowed in combination with token role"]);
}

#[test]
fn entities_and_groups_are_listed_renamed_and_refused_in_words() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.list("identity/entity/id").expect(404);
    root.list("identity/group/name").expect(404);
    root.post("identity/entity/name/Ann", &json!({ "metadata": { "k": "v" } })).expect(200);
    root.post("identity/entity/name/ann", &json!({ "disabled": false })).expect(204);
    assert_eq!(root.list("identity/entity/name").expect(200).data()["keys"], json!(["Ann"]));
    let ben = root.post("identity/entity", &json!({})).expect(200).text_of("id");
    let told = root.post(&format!("identity/entity/id/{ben}"), &json!({ "name": "ANN" }));
    assert_eq!(told.expect(400).errors(), ["entity name is already in use"]);
    let told = root.post("identity/entity/id/none", &json!({})).expect(400).errors();
    assert_eq!(told, ["invalid entity ID \"none\""]);
    let group = |body: &Value| root.post("identity/group", body);
    assert_eq!(group(&json!({})).expect(400).errors(), ["missing group name"]);
    let external = group(&json!({ "name": "x", "type": "external" })).expect(400);
    assert_eq!(external.errors(), ["invalid group type \"external\""]);
    let stranger = group(&json!({ "name": "x", "member_entity_ids": "none" })).expect(400);
    assert_eq!(stranger.errors(), ["invalid entity ID \"none\""]);
    group(&json!({ "name": "x", "member_entity_ids": [ben] })).expect(200);
    root.delete(&format!("identity/entity/id/{ben}")).expect(204);
    let shown = root.get("identity/group/name/x").expect(200);
    assert_eq!(shown.data()["member_entity_ids"], json!([]));
    assert_eq!(
        root.post("identity/lookup/group", &json!({ "name": "X" })).expect(200).text_of("name"),
        "x"
    );
}
