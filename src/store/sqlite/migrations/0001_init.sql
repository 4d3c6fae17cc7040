-- The first layout. Times are milliseconds since 1970, kinds and states small integers (the Rust files
-- next to this folder name them). Never edit a migration that was released: its digest is pinned.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- state: 0 active, 1 tainted, 2 removed, 3 forgotten (no lease needs it, only old records name it).
CREATE TABLE mount (
    key   INTEGER PRIMARY KEY,
    id    TEXT NOT NULL UNIQUE,
    path  TEXT NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    body  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX mount_by_path ON mount (path) WHERE state < 2;

CREATE TABLE account_binding (
    mount             INTEGER PRIMARY KEY REFERENCES mount ON DELETE CASCADE,
    sealed_secret_key BLOB,
    body              TEXT NOT NULL
) STRICT;

CREATE TABLE lease_config (
    mount     INTEGER PRIMARY KEY REFERENCES mount ON DELETE CASCADE,
    lease     INTEGER NOT NULL,
    lease_max INTEGER NOT NULL
) STRICT;

CREATE TABLE role (
    mount   INTEGER NOT NULL REFERENCES mount ON DELETE CASCADE,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (mount, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    digest           TEXT PRIMARY KEY NOT NULL,
    accessor         TEXT NOT NULL UNIQUE,
    parent           TEXT REFERENCES token (digest) ON DELETE SET NULL,
    policies         TEXT NOT NULL,
    display_name     TEXT NOT NULL,
    meta             TEXT,
    path             TEXT NOT NULL,
    num_uses         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    creation_ttl     INTEGER NOT NULL,
    expires_at       INTEGER,
    explicit_max_ttl INTEGER NOT NULL,
    period           INTEGER NOT NULL,
    renewable        INTEGER NOT NULL,
    last_renewal     INTEGER,
    ended_at         INTEGER
) STRICT;
CREATE INDEX token_by_parent ON token (parent) WHERE parent IS NOT NULL;
CREATE INDEX token_by_expiry ON token (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX token_by_end ON token (ended_at) WHERE ended_at IS NOT NULL;

-- Accessors of tokens that hold leases, so that a lease names its holder in three bytes instead of 24.
CREATE TABLE holder (
    key      INTEGER PRIMARY KEY,
    accessor TEXT NOT NULL UNIQUE
) STRICT;

-- state: 0 pending, 1 active, 2 revoking, 3 revoked. due_at is null exactly when revoked.
-- role is null where it is the last but one part of the id; verdict is a blob where it is hex.
CREATE TABLE lease (
    key             INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    mount           INTEGER NOT NULL REFERENCES mount,
    holder          INTEGER NOT NULL REFERENCES holder,
    role            TEXT,
    role_version    INTEGER NOT NULL,
    credential_type INTEGER NOT NULL,
    user            TEXT,
    issued_at       INTEGER NOT NULL,
    role_ttl        INTEGER,
    role_max_ttl    INTEGER,
    last_renewal    INTEGER,
    verdict         ANY NOT NULL,
    forced          INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    visible         INTEGER NOT NULL,
    due_at          INTEGER CHECK ((due_at IS NULL) = (state = 3)),
    access_key      TEXT,
    expires_at      INTEGER,
    reason          INTEGER,
    since           INTEGER,
    contained_at    INTEGER,
    removed_at      INTEGER,
    looks           INTEGER,
    attempts        INTEGER,
    failure_class   INTEGER,
    failure         TEXT,
    revoked_at      INTEGER
) STRICT;
CREATE INDEX lease_by_due ON lease (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lease_by_holder ON lease (holder);
CREATE INDEX lease_by_mount ON lease (mount);
CREATE INDEX lease_pending ON lease (issued_at) WHERE state = 0;
CREATE INDEX lease_by_end ON lease (revoked_at) WHERE revoked_at IS NOT NULL;
