//! Configuration files: any text is a configuration whose values are within their bounds, or is refused with a sentence that
//! names the key. See README.md.

#![no_main]

use leasehold::config::{Config, Dev, Overrides};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let flags = Overrides { dev: Some(Dev::default()), ..Overrides::default() };
    match Config::parse(&text, flags) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(config) => {
            assert!(!config.listeners.is_empty());
            assert!(config.default_lease_ttl <= config.max_lease_ttl);
            assert!(config.listeners.iter().all(|one| (1..=96).contains(&one.limits.headers)));
            assert!(config.sanitized().is_object());
        }
    }
});
