-- Token roles; entities, what auth mounts know them by, groups; whom a token stands for, and the role that made it.
-- folded: the name in lower case, under which it is unique.
CREATE TABLE token_role (
    name TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE entity (
    id     TEXT PRIMARY KEY NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE entity_alias (
    id     TEXT PRIMARY KEY NOT NULL,
    entity TEXT NOT NULL REFERENCES entity (id) ON DELETE CASCADE,
    mount  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entity_alias_by_name ON entity_alias (mount, folded);
CREATE INDEX entity_alias_by_entity ON entity_alias (entity);
CREATE TABLE entity_group (
    id     TEXT PRIMARY KEY NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE token ADD COLUMN token_role TEXT;
ALTER TABLE token ADD COLUMN entity TEXT;
