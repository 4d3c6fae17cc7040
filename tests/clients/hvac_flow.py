"""The walk-through by hvac 2.4. tests/it/clients.rs starts it and looks at AWS at each checkpoint."""

import json
import os
import sys

import hvac


def checkpoint(name: str, **facts):
    """Tells the test what happened, and waits until it has looked at AWS."""
    print("CHECKPOINT", name, json.dumps(facts), flush=True)
    if not sys.stdin.readline():
        sys.exit("the test hung up")


client = hvac.Client(url=os.environ["VAULT_ADDR"], token=os.environ["VAULT_TOKEN"])
assert client.is_authenticated()
assert client.sys.is_initialized() and not client.sys.is_sealed()
aws = client.secrets.aws

client.sys.enable_secrets_engine("aws")
aws.configure_root_iam_credentials(
    access_key="AKIAFLOWROOT00000000",
    secret_key="flow-secret",
    region="us-east-1",
    iam_endpoint=os.environ["FLOW_AWS"],
    sts_endpoint=os.environ["FLOW_AWS"],
)
aws.configure_lease(lease="30m", lease_max="1h")
checkpoint("configured", lease=aws.read_lease_config()["data"])

document = json.loads(os.environ["FLOW_POLICY"])
aws.create_or_update_role(name="my-role", credential_type="iam_user", policy_document=document)
role = aws.read_role(name="my-role")["data"]
checkpoint("role", keys=aws.list_roles()["data"]["keys"], policy_document=role["policy_document"])

try:
    aws.generate_credentials(name="missing")
except hvac.exceptions.InvalidRequest:
    pass
else:
    sys.exit("a missing role gave credentials")

issued = aws.generate_credentials(name="my-role")
assert issued["renewable"] and issued["data"]["security_token"] is None
assert len(issued["data"]["secret_key"]) == 40
lease_id = issued["lease_id"]
checkpoint("issued", lease_id=lease_id, access_key=issued["data"]["access_key"])

looked = client.sys.read_lease(lease_id)["data"]
assert client.sys.list_leases("aws/creds/my-role")["data"]["keys"] == [lease_id.rsplit("/", 1)[1]]
renewed = client.sys.renew_lease(lease_id, increment=600)
checkpoint("renewed", id=looked["id"], seconds=renewed["lease_duration"])

client.sys.revoke_lease(lease_id)
checkpoint("revoked")

aws.generate_credentials(name="my-role")
checkpoint("issued again")

role_arn = os.environ["FLOW_ROLE_ARN"]
aws.create_or_update_role(name="assumed", credential_type="assumed_role", role_arns=[role_arn])
aws.create_or_update_role(
    name="federated", credential_type="federation_token", policy_document=document
)
# hvac 2.4 knows no session_token; its generic write does.
client.write_data("aws/roles/session", data={"credential_type": "session_token"})
assumed = aws.generate_credentials(name="assumed", endpoint="sts", ttl="20m")
federated = aws.generate_credentials(name="federated", endpoint="sts")
session = aws.generate_credentials(name="session")
keys = ("access_key", "security_token", "session_token", "arn")
checkpoint(
    "temporary",
    **{
        name: {key: answer["data"].get(key) for key in keys}
        | {"lease_id": answer["lease_id"], "seconds": answer["lease_duration"]}
        for name, answer in (("assumed", assumed), ("federated", federated), ("session", session))
    },
)
aws.delete_role(name="my-role")
client.sys.disable_secrets_engine("aws")
checkpoint("disabled")
