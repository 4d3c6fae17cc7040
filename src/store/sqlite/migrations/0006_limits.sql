-- Caps on live leases. Live is every lease that is not revoked (state 3). They are counted only under mounts
-- that have a cap somewhere, which `counted` names: elsewhere a lease costs one look into that table.
ALTER TABLE role ADD COLUMN capped INTEGER NOT NULL DEFAULT 0;
CREATE INDEX role_capped ON role (mount) WHERE capped = 1;

CREATE TABLE lease_limits (
    mount                 INTEGER PRIMARY KEY REFERENCES mount ON DELETE CASCADE,
    max_leases            INTEGER NOT NULL,
    max_leases_per_caller INTEGER NOT NULL
) STRICT;

CREATE TABLE counted (
    mount INTEGER PRIMARY KEY REFERENCES mount ON DELETE CASCADE
) STRICT;

-- role '' is all roles of the mount, holder 0 all holders.
CREATE TABLE live_lease (
    mount  INTEGER NOT NULL REFERENCES mount ON DELETE CASCADE,
    role   TEXT NOT NULL,
    holder INTEGER NOT NULL,
    live   INTEGER NOT NULL,
    PRIMARY KEY (mount, role, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_lease_most ON live_lease (mount, role, live) WHERE holder > 0;

-- Where a lease is counted; its role is the last but one part of its id where the row does not say it.
CREATE VIEW lease_scope AS
SELECT key, mount, holder, state,
    coalesce(role, substr(rtrim(rtrim(id, replace(id, '/', '')), '/'),
        1 + length(rtrim(rtrim(rtrim(id, replace(id, '/', '')), '/'), replace(id, '/', ''))))) AS role
FROM lease;

CREATE TRIGGER lease_lives AFTER INSERT ON lease
WHEN NEW.state < 3 AND EXISTS (SELECT 1 FROM counted WHERE mount = NEW.mount)
BEGIN
    INSERT INTO live_lease (mount, role, holder, live)
    SELECT NEW.mount, part.role, part.holder, 1 FROM (
        SELECT '' AS role, 0 AS holder UNION ALL SELECT '', NEW.holder
        UNION ALL SELECT (SELECT role FROM lease_scope WHERE key = NEW.key), 0
        UNION ALL SELECT (SELECT role FROM lease_scope WHERE key = NEW.key), NEW.holder
    ) AS part
    WHERE true
    ON CONFLICT (mount, role, holder) DO UPDATE SET live = live + 1;
END;

CREATE TRIGGER lease_ends AFTER UPDATE OF state ON lease
WHEN OLD.state < 3 AND NEW.state = 3 AND EXISTS (SELECT 1 FROM counted WHERE mount = NEW.mount)
BEGIN
    UPDATE live_lease SET live = live - 1
    WHERE mount = NEW.mount AND holder IN (0, NEW.holder)
        AND role IN ('', (SELECT role FROM lease_scope WHERE key = NEW.key));
    DELETE FROM live_lease
    WHERE mount = NEW.mount AND holder IN (0, NEW.holder) AND live <= 0
        AND role IN ('', (SELECT role FROM lease_scope WHERE key = NEW.key));
END;

-- AWS had acted after all.
CREATE TRIGGER lease_lives_again AFTER UPDATE OF state ON lease
WHEN OLD.state = 3 AND NEW.state < 3 AND EXISTS (SELECT 1 FROM counted WHERE mount = NEW.mount)
BEGIN
    INSERT INTO live_lease (mount, role, holder, live)
    SELECT NEW.mount, part.role, part.holder, 1 FROM (
        SELECT '' AS role, 0 AS holder UNION ALL SELECT '', NEW.holder
        UNION ALL SELECT (SELECT role FROM lease_scope WHERE key = NEW.key), 0
        UNION ALL SELECT (SELECT role FROM lease_scope WHERE key = NEW.key), NEW.holder
    ) AS part
    WHERE true
    ON CONFLICT (mount, role, holder) DO UPDATE SET live = live + 1;
END;
