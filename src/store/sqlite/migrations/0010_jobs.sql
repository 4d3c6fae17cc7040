-- Jobs that revoke many leases, and moves of mounts.
-- kind: 0 revoke, 1 force, 2 disable. state: 0 running, 1 paused, 2 done, 3 forgotten.
-- scope is JSON. last_lease is the key of the youngest lease there was: a job has no younger one.
-- marked_to is where marking goes on (an id or a key, as the scope is walked), null once all are marked.
-- settling: 0 nothing, 1 a pause has still to reach marked leases, 2 a resumption.
CREATE TABLE job (
    key         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    kind        INTEGER NOT NULL,
    scope       TEXT NOT NULL,
    state       INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    last_lease  INTEGER NOT NULL,
    marked_to   TEXT,
    settling    INTEGER NOT NULL,
    marked      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX job_open ON job (key) WHERE state < 2;

-- attempts: how many passes had failed when the job marked the lease. waited: whether a caller waits for it.
CREATE TABLE job_lease (
    job      INTEGER NOT NULL REFERENCES job,
    lease    INTEGER NOT NULL REFERENCES lease ON DELETE CASCADE,
    attempts INTEGER NOT NULL,
    waited   INTEGER NOT NULL,
    PRIMARY KEY (job, lease)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_lease_by_lease ON job_lease (lease);

CREATE TABLE mount_move (
    id       TEXT PRIMARY KEY NOT NULL,
    source   TEXT NOT NULL,
    target   TEXT NOT NULL,
    moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The mount in it, so that due leases of a busy account are stepped over without reading their rows.
DROP INDEX lease_by_due;
CREATE INDEX lease_by_due ON lease (due_at, mount) WHERE due_at IS NOT NULL;
