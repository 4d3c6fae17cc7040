-- Managed policies under the path of a lease that carry our tags and that no lease names. policy_id and arn are
-- AWS's; mount is the text id, since an orphan may outlive the row of its mount.
CREATE TABLE orphan_policy (
    policy_id     TEXT PRIMARY KEY NOT NULL,
    arn           TEXT NOT NULL,
    mount         TEXT NOT NULL,
    lease         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    found_at      INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    ignored_until INTEGER
) STRICT, WITHOUT ROWID;
