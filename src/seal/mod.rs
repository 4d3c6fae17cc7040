//! Encryption at rest and keyed digests. Opens and closes what the store must not show; knows
//! neither the store nor the wire. The key comes from a key file (`[seal] key_file`) or, in dev mode
//! without a data directory, from memory alone.
