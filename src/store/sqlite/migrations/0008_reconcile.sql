-- Users in AWS that carry our tag and have no lease. user_id is AWS's; lease is the tag's value where it
-- can be one; mount is the text id, since an orphan may outlive the row of its mount.
CREATE TABLE orphan (
    user_id       TEXT PRIMARY KEY NOT NULL,
    user          TEXT NOT NULL,
    path          TEXT NOT NULL,
    mount         TEXT NOT NULL,
    lease         TEXT,
    created_at    INTEGER NOT NULL,
    found_at      INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    ignored_until INTEGER
) STRICT, WITHOUT ROWID;
