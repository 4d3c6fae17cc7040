-- Rate-limit quotas. What holds for all of them is a setting.
CREATE TABLE rate_quota (
    name TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
