-- Auth methods below auth/, and who may log in there: roles of AppRole (with a role id) and users. Of secret
-- ids there are keyed digests only; passwords are hashes, sealed, in the body.
CREATE TABLE auth_mount (
    id   TEXT PRIMARY KEY NOT NULL,
    path TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE auth_login (
    mount   TEXT NOT NULL REFERENCES auth_mount (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    role_id TEXT,
    body    TEXT NOT NULL,
    PRIMARY KEY (mount, name)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX auth_login_by_role_id ON auth_login (mount, role_id) WHERE role_id IS NOT NULL;
-- uses_left: 0 = without limit; expires_at: NULL = never.
CREATE TABLE auth_secret_id (
    mount      TEXT NOT NULL,
    role       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    accessor   TEXT NOT NULL,
    uses_left  INTEGER NOT NULL,
    expires_at INTEGER,
    body       TEXT NOT NULL,
    PRIMARY KEY (mount, role, digest),
    FOREIGN KEY (mount, role) REFERENCES auth_login (mount, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX auth_secret_id_by_accessor ON auth_secret_id (mount, role, accessor);
CREATE INDEX auth_secret_id_by_expiry ON auth_secret_id (mount, expires_at) WHERE expires_at IS NOT NULL;
-- Where a token may be used from, and the login that made it; auth_mount is its mount, for its end.
ALTER TABLE token ADD COLUMN bound_cidrs TEXT;
ALTER TABLE token ADD COLUMN login TEXT;
ALTER TABLE token ADD COLUMN auth_mount TEXT;
CREATE INDEX token_by_auth_mount ON token (auth_mount) WHERE auth_mount IS NOT NULL AND ended_at IS NULL;
