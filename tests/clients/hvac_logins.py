"""Logins by hvac 2.4: AppRole, JWT and Kubernetes. tests/it/login_clients.rs starts it, with an issuer and a cluster of its own."""

import os

import hvac

root = hvac.Client(url=os.environ["VAULT_ADDR"], token=os.environ["VAULT_TOKEN"])
ca = os.environ["FLOW_CA"]


def anyone() -> hvac.Client:
    return hvac.Client(url=os.environ["VAULT_ADDR"])


def may_read(client: hvac.Client) -> bool:
    try:
        client.secrets.aws.list_roles()
    except hvac.exceptions.Forbidden:
        return False
    return True


def refused(call, **arguments) -> str:
    try:
        call(**arguments)
    except (hvac.exceptions.InvalidRequest, hvac.exceptions.Forbidden) as error:
        return str(error)
    raise SystemExit("it was let in")


root.sys.enable_secrets_engine("aws")
policy = 'path "aws/roles" { capabilities = ["list"] }\npath "aws/roles/*" { capabilities = ["read"] }'
root.sys.create_or_update_policy(name="reader", policy=policy)
document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}'
root.secrets.aws.create_or_update_role(name="r", credential_type="iam_user", policy_document=document)

# JWT
root.sys.enable_auth_method("jwt")
root.auth.jwt.configure(
    jwks_url=os.environ["FLOW_ISSUER"] + "/keys",
    jwks_ca_pem=ca,
    bound_issuer="https://gitlab.example.com",
    jwt_supported_algs=["RS256", "ES256"],
)
assert root.auth.jwt.read_config()["data"]["bound_issuer"] == "https://gitlab.example.com"
root.auth.jwt.create_role(
    name="job",
    user_claim="user_login",
    allowed_redirect_uris=[],
    bound_audiences=["leasehold"],
    bound_claims={"project_path": "group/*"},
    bound_claims_type="glob",
    claim_mappings={"project_path": "project"},
    token_policies=["reader"],
    token_ttl="10m",
)
assert root.auth.jwt.list_roles()["data"]["keys"] == ["job"]
assert root.auth.jwt.read_role("job")["data"]["bound_claims"] == {"project_path": "group/*"}
job = anyone()
answer = job.auth.jwt.jwt_login(role="job", jwt=os.environ["FLOW_JWT"])
assert answer["auth"]["metadata"] == {"project": "group/project", "role": "job"}, answer
assert job.is_authenticated() and may_read(job)
job.auth.token.renew_self()
told = refused(anyone().auth.jwt.jwt_login, role="job", jwt=os.environ["FLOW_JWT"][:-4] + "AAAA")
assert "error validating token" in told, told
told = refused(root.auth.jwt.oidc_authorization_url_request, role="job", redirect_uri="https://x")
assert "not offered" in told, told
root.auth.jwt.delete_role("job")
assert "could not be found" in refused(anyone().auth.jwt.jwt_login, role="job", jwt=os.environ["FLOW_JWT"])

# Kubernetes
root.sys.enable_auth_method("kubernetes")
root.auth.kubernetes.configure(
    kubernetes_host=os.environ["FLOW_ISSUER"],
    kubernetes_ca_cert=ca,
    token_reviewer_jwt=os.environ["FLOW_JWT"],
    disable_local_ca_jwt=True,
)
assert root.auth.kubernetes.read_config()["kubernetes_host"] == os.environ["FLOW_ISSUER"]
root.auth.kubernetes.create_role(
    name="pod",
    bound_service_account_names=["deployer"],
    bound_service_account_namespaces=["ci"],
    policies=["reader"],
    ttl="10m",
)
assert root.auth.kubernetes.list_roles()["keys"] == ["pod"]
assert root.auth.kubernetes.read_role("pod")["token_policies"] == ["reader"]
pod = anyone()
answer = pod.auth.kubernetes.login(role="pod", jwt=os.environ["FLOW_POD_JWT"])
assert answer["auth"]["metadata"]["service_account_name"] == "deployer", answer
assert pod.is_authenticated() and may_read(pod)
root.auth.kubernetes.delete_role("pod")

# AppRole
root.sys.enable_auth_method("approle")
root.auth.approle.create_or_update_approle(
    role_name="machine", token_policies=["reader"], token_ttl="10m", secret_id_num_uses=2
)
assert root.auth.approle.list_roles()["data"]["keys"] == ["machine"]
role_id = root.auth.approle.read_role_id("machine")["data"]["role_id"]
secret = root.auth.approle.generate_secret_id("machine", metadata={"job": "7"})["data"]
machine = anyone()
answer = machine.auth.approle.login(role_id=role_id, secret_id=secret["secret_id"])
assert answer["auth"]["metadata"] == {"job": "7", "role_name": "machine"}, answer
assert may_read(machine)
looked = root.auth.approle.read_secret_id_accessor("machine", secret["secret_id_accessor"])["data"]
assert looked["secret_id_num_uses"] == 1, looked
custom = root.auth.approle.create_custom_secret_id("machine", "chosen-by-hand")["data"]
assert custom["secret_id"] == "chosen-by-hand"
assert len(root.auth.approle.list_secret_id_accessors("machine")["data"]["keys"]) == 2
root.auth.approle.destroy_secret_id("machine", "chosen-by-hand")
assert "invalid role or secret ID" in refused(
    anyone().auth.approle.login, role_id=role_id, secret_id="chosen-by-hand"
)
for path in ("jwt", "kubernetes", "approle"):
    root.sys.disable_auth_method(path)
assert not may_read(job) and not may_read(pod) and not may_read(machine)
print("DONE")
