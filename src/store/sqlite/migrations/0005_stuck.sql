-- Leases whose teardown failed six times in a row: few, and looked for by whoever watches.
CREATE INDEX lease_stuck ON lease (key) WHERE attempts >= 6;
