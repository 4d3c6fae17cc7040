// The walk-through by node-vault 0.12. tests/it/clients.rs starts it and looks at AWS at each checkpoint.
'use strict';
const assert = require('assert');
const readline = require('readline');
const vault = require('node-vault')({
  endpoint: process.env.VAULT_ADDR,
  token: process.env.VAULT_TOKEN,
});

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Tells the test what happened, and waits until it has looked at AWS.
async function checkpoint(name, facts = {}) {
  console.log(`CHECKPOINT ${name} ${JSON.stringify(facts)}`);
  if ((await lines.next()).done) throw new Error('the test hung up');
}

// The facts of a temporary credential.
function temporary({ data, lease_id, lease_duration }) {
  const { access_key, security_token, session_token, arn } = data;
  return { access_key, security_token, session_token, arn, lease_id, seconds: lease_duration };
}

async function main() {
  const policy = process.env.FLOW_POLICY;
  assert.deepStrictEqual(await vault.initialized(), { initialized: true });
  assert.strictEqual((await vault.status()).sealed, false);
  assert.strictEqual((await vault.health()).standby, false);

  await vault.mount({ mount_point: 'aws', type: 'aws' });
  await vault.write('aws/config/root', {
    access_key: 'AKIAFLOWROOT00000000',
    secret_key: 'flow-secret',
    region: 'us-east-1',
    iam_endpoint: process.env.FLOW_AWS,
    sts_endpoint: process.env.FLOW_AWS,
  });
  await vault.write('aws/config/lease', { lease: '30m', lease_max: '1h' });
  await checkpoint('configured', { lease: (await vault.read('aws/config/lease')).data });

  const user = { credential_type: 'iam_user', policy_document: policy };
  await vault.write('aws/roles/my-role', user);
  const { keys } = (await vault.list('aws/roles')).data;
  const { policy_document } = (await vault.read('aws/roles/my-role')).data;
  await checkpoint('role', { keys, policy_document });

  const refusal = await vault.read('aws/creds/missing').then(() => null, (error) => error);
  assert.match(refusal.message, /Role "missing" not found/);
  assert.strictEqual(refusal.response.statusCode, 400);

  const issued = await vault.read('aws/creds/my-role');
  assert.strictEqual(issued.renewable, true);
  assert.strictEqual(issued.data.security_token, null);
  assert.strictEqual(issued.data.secret_key.length, 40);
  const { lease_id } = issued;
  await checkpoint('issued', { lease_id, access_key: issued.data.access_key });

  const looked = await vault.write('sys/leases/lookup', { lease_id });
  const renewed = await vault.renew({ lease_id, increment: 600 });
  await checkpoint('renewed', { id: looked.data.id, seconds: renewed.lease_duration });

  await vault.revoke({ lease_id });
  await checkpoint('revoked');

  await vault.read('aws/creds/my-role');
  await checkpoint('issued again');

  const role_arns = [process.env.FLOW_ROLE_ARN];
  await vault.write('aws/roles/assumed', { credential_type: 'assumed_role', role_arns });
  const federated = { credential_type: 'federation_token', policy_document: policy };
  await vault.write('aws/roles/federated', federated);
  await vault.write('aws/roles/session', { credential_type: 'session_token' });
  await checkpoint('temporary', {
    assumed: temporary(await vault.write('aws/sts/assumed', { ttl: '20m' })),
    federated: temporary(await vault.read('aws/sts/federated')),
    session: temporary(await vault.read('aws/creds/session')),
  });

  await vault.delete('aws/roles/my-role');
  await vault.unmount({ mount_point: 'aws' });
  await checkpoint('disabled');
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
