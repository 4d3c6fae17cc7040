-- A request that is repeated by its Idempotency-Key is wrapped anew: one lease may be in several answers, and
-- ends with the last of them that nobody unwrapped.
CREATE INDEX wrapping_by_lease ON wrapping (lease) WHERE lease IS NOT NULL;
