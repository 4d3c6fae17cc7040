//! Packages of plugins: any bytes, and a good package with bytes changed, are refused by name or are a package that is written
//! and read again as the same; signatures and keys as well. The first byte chooses. See README.md.

#![no_main]

use guardrail_kit::package::{Artifact, Package, PublicKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((chosen, rest)) = bytes.split_first() else { return };
    match chosen % 3 {
        0 => match Package::read(rest) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(package) => {
                let written = package.write().expect("what was read is written");
                let again = Package::read(&written).expect("what was written is read");
                assert_eq!(again.write().expect("twice"), written);
            }
        },
        1 => {
            if let Err(error) = Artifact::read(rest) {
                assert!(!error.to_string().is_empty());
            }
        }
        _ => {
            if let Ok(key) = PublicKey::parse(&String::from_utf8_lossy(rest)) {
                assert_eq!(PublicKey::parse(&key.base64()).expect("its own text").id(), key.id());
            }
        }
    }
});
