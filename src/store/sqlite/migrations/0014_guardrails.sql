-- Guardrails: a plugin with settings, mode and scope, as JSON. plugin: the digest of an uploaded component; NULL where
-- it is one that ships with the broker. Suspensions stand apart, since a guardrail of the configuration has no row.
CREATE TABLE guardrail (
    name    TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    plugin  TEXT,
    body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX guardrail_by_plugin ON guardrail (plugin) WHERE plugin IS NOT NULL;

CREATE TABLE guardrail_suspension (
    name TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Verdicts with what went in, so that they can be reached again; bounded by age and size (bytes).
CREATE TABLE guardrail_set (
    digest TEXT PRIMARY KEY NOT NULL,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE kept_verdict (
    digest     TEXT PRIMARY KEY NOT NULL,
    reached_at INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    guardrails TEXT NOT NULL REFERENCES guardrail_set (digest),
    verdict    TEXT NOT NULL,
    input      TEXT NOT NULL
) STRICT;
CREATE INDEX kept_verdict_by_time ON kept_verdict (reached_at DESC, digest, bytes);
CREATE INDEX kept_verdict_by_set ON kept_verdict (guardrails);
