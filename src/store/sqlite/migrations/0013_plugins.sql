-- Guardrail plugins. One row a component, with what is known of it as JSON; its bytes in a table of their own, so that
-- a listing reads none of them. Rows are written once; signatures alone are added later.
CREATE TABLE plugin (
    digest      TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL,
    body        TEXT NOT NULL,
    UNIQUE (name, version)
) STRICT;

CREATE TABLE plugin_component (
    digest    TEXT PRIMARY KEY REFERENCES plugin (digest) ON DELETE CASCADE,
    component BLOB NOT NULL
) STRICT;
