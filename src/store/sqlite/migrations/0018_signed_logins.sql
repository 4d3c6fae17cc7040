-- What a jwt or kubernetes auth mount believes: one row a mount, gone with it. The roles are rows of auth_login.
CREATE TABLE auth_config (
    mount TEXT PRIMARY KEY NOT NULL REFERENCES auth_mount (id) ON DELETE CASCADE,
    body  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
