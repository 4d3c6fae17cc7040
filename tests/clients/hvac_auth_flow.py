"""Tokens, policies, AppRole, identities, wrapping, audit devices and quotas by hvac 2.4, against a server in development mode.

Nothing is asked of AWS. tests/it/clients.rs starts it; each step asserts what hvac was told.
"""

import json
import os
import pathlib
import tempfile

import hvac

address = os.environ["VAULT_ADDR"]
root = hvac.Client(url=address, token=os.environ["VAULT_TOKEN"])


def as_token(token: str) -> hvac.Client:
    return hvac.Client(url=address, token=token)


def refused(kind, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        return str(error)
    raise SystemExit(f"{call} was not refused")


# ---- policies and capabilities

rules = """
path "auth/token/create/deploy" { capabilities = ["update"] }
path "sys/mounts" { capabilities = ["read"] }
"""
root.sys.create_or_update_policy("deploy", rules)
assert root.sys.read_policy("deploy")["data"]["rules"] == rules
assert "deploy" in root.sys.list_policies()["data"]["policies"]
root.sys.create_or_update_acl_policy("watch", 'path "sys/mounts" { capabilities = ["read"] }')
assert "watch" in root.sys.list_acl_policies()["data"]["keys"]

# ---- tokens: made, looked up, renewed, revoked, by themselves and by accessor

token = root.auth.token
made = token.create(policies=["deploy"], ttl="1h", meta={"team": "a"}, display_name="ci")["auth"]
user = as_token(made["client_token"])
own = user.auth.token.lookup_self()["data"]
assert (own["display_name"], own["meta"], own["type"]) == ("token-ci", {"team": "a"}, "service")
assert user.sys.get_capabilities(["sys/mounts"])["data"]["capabilities"] == ["read"]
assert made["accessor"] in token.list_accessors()["data"]["keys"]
assert token.lookup_accessor(made["accessor"])["data"]["id"] == ""
assert token.renew_accessor(made["accessor"], increment="30m")["auth"]["lease_duration"] == 1800
assert token.renew(made["client_token"])["auth"]["client_token"] == made["client_token"]
refused(hvac.exceptions.Forbidden, user.auth.token.create, policies=["watch"])

# ---- token roles

token.create_or_update_role("deploy", allowed_policies=["watch"], orphan=True, token_period="10m")
assert token.read_role("deploy")["data"]["token_period"] == 600
assert token.list_roles()["data"]["keys"] == ["deploy"]
by_role = user.auth.token.create(role_name="deploy")["auth"]
assert by_role["orphan"] and by_role["token_policies"] == ["default", "watch"]
told = refused(hvac.exceptions.InvalidRequest, user.auth.token.create, role_name="deploy", policies=["deploy"])
assert "must be subset of the role's allowed policies" in told

# ---- batch tokens

batch = token.create(policies=["watch"], type="batch", ttl="10m")["auth"]
assert batch["client_token"].startswith("hvb.") and batch["accessor"] == ""
assert as_token(batch["client_token"]).sys.list_mounted_secrets_engines()["data"] is not None
refused(hvac.exceptions.InvalidRequest, token.renew, batch["client_token"])
refused(hvac.exceptions.InvalidRequest, token.revoke, batch["client_token"])

token.revoke_and_orphan_children(made["client_token"])
assert as_token(by_role["client_token"]).is_authenticated()
assert not user.is_authenticated()
token.revoke_accessor(by_role["accessor"])
token.tidy()
token.delete_role("deploy")

# ---- AppRole

root.sys.enable_auth_method("approle")
approle = root.auth.approle
approle.create_or_update_approle("ci", token_policies=["watch"], token_ttl="10m", secret_id_num_uses=1)
role_id = approle.read_role_id("ci")["data"]["role_id"]
secret = approle.generate_secret_id("ci", metadata={"job": "7"})["data"]
login = hvac.Client(url=address).auth.approle.login(role_id=role_id, secret_id=secret["secret_id"])["auth"]
assert login["metadata"] == {"job": "7", "role_name": "ci"}
machine = as_token(login["client_token"])
assert machine.lookup_token()["data"]["path"] == "auth/approle/login"
refused(
    hvac.exceptions.InvalidRequest,
    hvac.Client(url=address).auth.approle.login,
    role_id=role_id,
    secret_id=secret["secret_id"],
)

# ---- identities

identity = root.secrets.identity
entity = identity.read_entity(login["entity_id"])["data"]
assert entity["aliases"][0]["name"] == role_id
identity.update_entity(login["entity_id"], name="builder", metadata={"team": "a"})
found = identity.lookup_entity(
    alias_name=role_id, alias_mount_accessor=entity["aliases"][0]["mount_accessor"]
)["data"]
assert (found["id"], found["name"]) == (login["entity_id"], "builder")
root.sys.create_or_update_acl_policy(
    "own", 'path "sys/policies/acl/{{identity.entity.name}}" { capabilities = ["read"] }'
)
root.sys.create_or_update_acl_policy("builder", 'path "x" { capabilities = ["read"] }')
refused(hvac.exceptions.Forbidden, machine.sys.read_acl_policy, "builder")
group = identity.create_or_update_group(
    name="machines", policies=["own"], member_entity_ids=[login["entity_id"]]
)["data"]
assert machine.sys.read_acl_policy("builder")["data"]["name"] == "builder"
assert machine.lookup_token()["data"]["identity_policies"] == ["own"]
assert identity.list_groups_by_name()["data"]["keys"] == ["machines"]
identity.delete_group(group["id"])
identity.delete_entity(login["entity_id"])
refused(hvac.exceptions.Forbidden, machine.lookup_token)

# ---- wrapping

wrapped = token.create(policies=["watch"], wrap_ttl="1m")
assert wrapped["auth"] is None and wrapped["wrap_info"]["creation_path"] == "auth/token/create"
inner = root.sys.unwrap(wrapped["wrap_info"]["token"])["auth"]
assert as_token(inner["client_token"]).is_authenticated()
refused(hvac.exceptions.InvalidRequest, root.sys.unwrap, wrapped["wrap_info"]["token"])
assert root.sys.unwrap(root.sys.wrap({"a": "b"})["wrap_info"]["token"])["data"] == {"a": "b"}

# ---- audit devices

with tempfile.TemporaryDirectory() as folder:
    log = pathlib.Path(folder, "audit.log")
    root.sys.enable_audit_device("file", description="all", options={"file_path": str(log)}, path="log")
    device = root.sys.list_enabled_audit_devices()["data"]["log/"]
    assert (device["type"], device["options"]["file_path"]) == ("file", str(log))
    digest = root.sys.calculate_hash("log", root.token)["data"]["hash"]
    root.lookup_token()
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["type"], last["request"]["path"]) == ("response", "auth/token/lookup-self")
    assert last["auth"]["client_token"] == digest
    root.sys.disable_audit_device("log")
    assert not root.sys.list_enabled_audit_devices()["data"]

# ---- quotas

root.sys.create_or_update_quota("q", rate=1, path="auth/token", interval="1h")
assert root.sys.read_quota("q")["data"]["path"] == "auth/token/"
assert root.sys.list_quotas()["data"]["keys"] == ["q"]
root.lookup_token()
refused(hvac.exceptions.RateLimitExceeded, root.lookup_token)
root.sys.delete_quota("q")
root.lookup_token()
