-- Audit devices. head_seq, head_hash: the last entry of the device's chain that was written down.
CREATE TABLE audit_device (
    id        TEXT PRIMARY KEY,
    path      TEXT NOT NULL UNIQUE,
    body      TEXT NOT NULL,
    head_seq  INTEGER,
    head_hash TEXT
) STRICT, WITHOUT ROWID;
