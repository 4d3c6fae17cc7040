-- Answers that wait for their unwrapping, encrypted; each belongs to a token with one use. What was handed
-- out in it and is never unwrapped ends with that token: the lease, or the token by its accessor.
CREATE TABLE wrapping (
    token    TEXT PRIMARY KEY NOT NULL REFERENCES token (digest) ON DELETE CASCADE,
    body     BLOB NOT NULL,
    lease    TEXT,
    accessor TEXT
) STRICT, WITHOUT ROWID;
