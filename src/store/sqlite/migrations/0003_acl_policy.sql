-- ACL policies, as they were written.
CREATE TABLE acl_policy (
    name TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
