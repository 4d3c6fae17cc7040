-- Caps on the live leases of an AWS account, over all mounts that work in it. Live is every lease that is not revoked
-- (state 3). A row here means that the leases of that account are counted; a lease that does not say its account is
-- counted nowhere.
CREATE TABLE account_limits (
    account               TEXT PRIMARY KEY NOT NULL,
    max_leases            INTEGER NOT NULL,
    max_leases_per_caller INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- holder 0 is all holders.
CREATE TABLE live_in_account (
    account TEXT NOT NULL REFERENCES account_limits ON DELETE CASCADE,
    holder  INTEGER NOT NULL,
    live    INTEGER NOT NULL,
    PRIMARY KEY (account, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_in_account_most ON live_in_account (account, live) WHERE holder > 0;

CREATE TRIGGER lease_lives_in_account AFTER INSERT ON lease
WHEN NEW.state < 3 AND EXISTS (SELECT 1 FROM account_limits WHERE account = NEW.account)
BEGIN
    INSERT INTO live_in_account (account, holder, live)
    VALUES (NEW.account, 0, 1), (NEW.account, NEW.holder, 1)
    ON CONFLICT (account, holder) DO UPDATE SET live = live + 1;
END;

-- It ends, or turns out to be of another account.
CREATE TRIGGER lease_leaves_account AFTER UPDATE OF state, account ON lease
WHEN OLD.state < 3 AND (NEW.state = 3 OR NEW.account IS NOT OLD.account)
    AND EXISTS (SELECT 1 FROM account_limits WHERE account = OLD.account)
BEGIN
    UPDATE live_in_account SET live = live - 1
    WHERE account = OLD.account AND holder IN (0, OLD.holder);
    DELETE FROM live_in_account
    WHERE account = OLD.account AND holder IN (0, OLD.holder) AND live <= 0;
END;

-- AWS had acted after all, or the account is known only now.
CREATE TRIGGER lease_enters_account AFTER UPDATE OF state, account ON lease
WHEN NEW.state < 3 AND (OLD.state = 3 OR NEW.account IS NOT OLD.account)
    AND EXISTS (SELECT 1 FROM account_limits WHERE account = NEW.account)
BEGIN
    INSERT INTO live_in_account (account, holder, live)
    VALUES (NEW.account, 0, 1), (NEW.account, NEW.holder, 1)
    ON CONFLICT (account, holder) DO UPDATE SET live = live + 1;
END;

CREATE TRIGGER lease_deleted_in_account AFTER DELETE ON lease
WHEN OLD.state < 3 AND EXISTS (SELECT 1 FROM account_limits WHERE account = OLD.account)
BEGIN
    UPDATE live_in_account SET live = live - 1
    WHERE account = OLD.account AND holder IN (0, OLD.holder);
    DELETE FROM live_in_account
    WHERE account = OLD.account AND holder IN (0, OLD.holder) AND live <= 0;
END;
