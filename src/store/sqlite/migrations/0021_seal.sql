-- The seal: what unseals, and the keys as they are wrapped. One row, so that every change of it is whole. Until it is
-- there, an installation has a single key, by the setting `seal/key-check` or not at all.
CREATE TABLE seal (
    one                INTEGER PRIMARY KEY CHECK (one = 1),
    kind               TEXT NOT NULL,
    shares             INTEGER NOT NULL CHECK (shares BETWEEN 1 AND 255),
    threshold          INTEGER NOT NULL CHECK (threshold BETWEEN 1 AND shares),
    wrapped_root       BLOB NOT NULL,
    wrapped_keyring    BLOB NOT NULL,
    recovery_shares    INTEGER CHECK (recovery_shares BETWEEN 1 AND 255),
    recovery_threshold INTEGER CHECK (recovery_threshold BETWEEN 1 AND recovery_shares),
    wrapped_recovery   BLOB,
    CHECK ((recovery_shares IS NULL) = (wrapped_recovery IS NULL)),
    CHECK ((recovery_threshold IS NULL) = (wrapped_recovery IS NULL))
) STRICT;
