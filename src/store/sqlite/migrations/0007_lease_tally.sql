-- How many leases are active and when they end, kept by triggers in the transaction of each change:
-- nobody has to count a million rows. `hour` is the hour since 1970 in which they end. A row that would
-- reach zero goes away. Pending leases and those in teardown are few: their indexes are counted.
CREATE TABLE lease_tally (
    hour  INTEGER PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0)
) STRICT;

INSERT INTO lease_tally (hour, count)
SELECT expires_at / 3600000, count(*) FROM lease WHERE state = 1 GROUP BY 1;

CREATE TRIGGER lease_tally_made AFTER INSERT ON lease WHEN NEW.state = 1 BEGIN
    INSERT INTO lease_tally (hour, count) VALUES (NEW.expires_at / 3600000, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER lease_tally_activated AFTER UPDATE OF state ON lease
WHEN NEW.state = 1 AND OLD.state <> 1
BEGIN
    INSERT INTO lease_tally (hour, count) VALUES (NEW.expires_at / 3600000, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER lease_tally_renewed AFTER UPDATE OF expires_at ON lease
WHEN NEW.state = 1 AND OLD.state = 1 AND NEW.expires_at / 3600000 <> OLD.expires_at / 3600000
BEGIN
    INSERT INTO lease_tally (hour, count) VALUES (NEW.expires_at / 3600000, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
    DELETE FROM lease_tally WHERE hour = OLD.expires_at / 3600000 AND count = 1;
    UPDATE lease_tally SET count = count - 1 WHERE hour = OLD.expires_at / 3600000;
END;

CREATE TRIGGER lease_tally_ended AFTER UPDATE OF state ON lease
WHEN OLD.state = 1 AND NEW.state <> 1
BEGIN
    DELETE FROM lease_tally WHERE hour = OLD.expires_at / 3600000 AND count = 1;
    UPDATE lease_tally SET count = count - 1 WHERE hour = OLD.expires_at / 3600000;
END;

CREATE TRIGGER lease_tally_deleted AFTER DELETE ON lease WHEN OLD.state = 1 BEGIN
    DELETE FROM lease_tally WHERE hour = OLD.expires_at / 3600000 AND count = 1;
    UPDATE lease_tally SET count = count - 1 WHERE hour = OLD.expires_at / 3600000;
END;

CREATE INDEX lease_in_teardown ON lease (removed_at, contained_at, since, attempts) WHERE state = 2;
