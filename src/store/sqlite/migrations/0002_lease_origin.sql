-- Who asked for a lease and on what grounds; what AWS said it made; what must be undone beside the user.
-- policy_digest is a blob where it is hex, like verdict. account and user_id are AWS's; beside is JSON.
-- request_key is the keyed digest of the caller's Idempotency-Key.
ALTER TABLE lease ADD COLUMN caller TEXT NOT NULL DEFAULT '';
ALTER TABLE lease ADD COLUMN source TEXT;
ALTER TABLE lease ADD COLUMN policy_digest ANY;
ALTER TABLE lease ADD COLUMN account TEXT;
ALTER TABLE lease ADD COLUMN user_id TEXT;
ALTER TABLE lease ADD COLUMN beside TEXT;
ALTER TABLE lease ADD COLUMN request_key BLOB;
ALTER TABLE lease ADD COLUMN proven_at INTEGER;
CREATE INDEX lease_by_access_key ON lease (access_key) WHERE access_key IS NOT NULL;
CREATE UNIQUE INDEX lease_by_request ON lease (request_key) WHERE request_key IS NOT NULL;
