-- Keys that are rotated. unfinished: a key of the root user is being replaced.
-- deleting: out of sight, kept until its keys are gone. due_at is null where nothing is to be done.
-- The secrets are sealed.
CREATE TABLE root_rotation (
    mount             INTEGER PRIMARY KEY REFERENCES mount ON DELETE CASCADE,
    unfinished        INTEGER NOT NULL,
    sealed_new_secret BLOB,
    body              TEXT NOT NULL
) STRICT;
CREATE INDEX root_rotation_unfinished ON root_rotation (mount) WHERE unfinished = 1;

CREATE TABLE static_role (
    mount             INTEGER NOT NULL REFERENCES mount ON DELETE CASCADE,
    name              TEXT NOT NULL,
    deleting          INTEGER NOT NULL,
    due_at            INTEGER,
    sealed_secret     BLOB,
    sealed_new_secret BLOB,
    body              TEXT NOT NULL,
    PRIMARY KEY (mount, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX static_role_by_due ON static_role (due_at) WHERE due_at IS NOT NULL;
