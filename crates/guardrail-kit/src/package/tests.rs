//! Packages: what is written is read again, and what is no package of ours is refused by name, without a panic.

use tar::{Builder, EntryType, Header};

use super::*;

fn package() -> Package {
    let component = b"\0asm\x0d\0\x01\0 and more".to_vec();
    Package {
        about: About {
            format: FORMAT,
            name: "deny-list".to_owned(),
            version: "1.0.0".to_owned(),
            digest: digest(&component),
            contract: CONTRACT.to_owned(),
            created_by: "leasehold 0".to_owned(),
        },
        component,
        settings_schema: r#"{"type":"object"}"#.to_owned(),
        readme: Some("# Deny list\n".to_owned()),
        tests: vec![
            TestFile { name: "a.json".to_owned(), bytes: b"{}".to_vec() },
            TestFile { name: "b.json".to_owned(), bytes: b"{ }".to_vec() },
        ],
        signatures: vec![Signature {
            key_id: "ed25519:0a".to_owned(),
            algorithm: "ed25519".to_owned(),
            signature: "AAAA".to_owned(),
        }],
    }
}

/// One entry after another, as anybody may write them.
fn archive(entries: &[(&str, &[u8], EntryType)]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, content, kind) in entries {
        let mut header = Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_size(u64::try_from(content.len()).unwrap());
        // As a hostile writer does it, who asks nobody for a name.
        let place = &mut header.as_old_mut().name;
        place.fill(0);
        place[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn file<'a>(name: &'a str, content: &'a [u8]) -> (&'a str, &'a [u8], EntryType) {
    (name, content, EntryType::Regular)
}

fn refused(bytes: &[u8]) -> String {
    Package::read(bytes).unwrap_err().to_string()
}

/// The parts that every package has, and then these.
fn with(more: &[(&str, &[u8], EntryType)]) -> Vec<u8> {
    let package = package();
    let about = serde_json::to_vec(&package.about).unwrap();
    let mut entries = vec![
        file("component.wasm", &package.component),
        file("package.json", &about),
        file("settings.schema.json", b"{}"),
    ];
    entries.extend_from_slice(more);
    archive(&entries)
}

#[test]
fn a_package_reads_back_and_is_the_same_bytes_whoever_writes_it() {
    let package = package();
    let bytes = package.write().unwrap();
    assert_eq!(Package::read(&bytes).unwrap(), package);
    assert_eq!(Package::read(&bytes).unwrap().write().unwrap(), bytes);
    assert_eq!(package.file_name(), "deny-list-1.0.0.guardrail");
    assert!(bytes.starts_with(b"component.wasm\0"), "it is known by its first bytes");
}

#[test]
fn either_is_taken_wherever_the_other_is() {
    let package = package();
    let bytes = package.write().unwrap();
    let artifact = Artifact::read(&bytes).unwrap();
    assert_eq!(artifact.component(), package.component);
    assert_eq!(artifact.package(), Some(&package));
    let alone = Artifact::read(&package.component).unwrap();
    assert_eq!((alone.component(), alone.package()), (&package.component[..], None));
    let neither = Artifact::read(b"{}").unwrap_err().to_string();
    assert!(neither.starts_with("this is neither a component nor a package"), "{neither}");
}

#[test]
fn another_tar_of_the_right_entries_is_a_package_too() {
    let read = Package::read(&with(&[file("tests/x.json", b"{}")])).unwrap();
    assert_eq!(read.tests.len(), 1);
    assert_eq!((read.readme, read.signatures), (None, Vec::new()));
}

#[test]
fn what_does_not_belong_in_a_package_is_refused_by_name() {
    for (more, part) in [
        (file("README.md", b"\xff"), "`README.md` is not UTF-8"),
        (file("package.json", b"{}"), "`package.json` is there twice"),
        (file("../etc/passwd", b""), "`../etc/passwd` has a name that nothing"),
        (file("/tests/x.json", b""), "has a name that nothing"),
        (file("tests/../x.json", b""), "has a name that nothing"),
        (file("tests/a/b.json", b""), "has a name that nothing"),
        (file("tests/.x.json", b""), "has a name that nothing"),
        (file("tests/.json", b""), "has a name that nothing"),
        (file("tests/x.yaml", b""), "has a name that nothing"),
        (file("setup.sh", b""), "`setup.sh` has a name that nothing"),
        (("tests/x.json", b"", EntryType::Symlink), "`tests/x.json` is not a plain file"),
        (("tests/x.json", b"", EntryType::Link), "is not a plain file"),
        (("tests", b"", EntryType::Directory), "is not a plain file"),
        (("x", b"11 path=ab\n", EntryType::XHeader), "is not a plain file"),
        (("x", b"name", EntryType::GNULongName), "is not a plain file"),
        (("x", b"", EntryType::GNUSparse), "is not a plain file"),
        (file("signatures/x.json", b"{}"), "`signatures/x.json` is no signature"),
        (file("signatures/x.json", &[b' '; 5000]), "has 5000 bytes, more than the 4096"),
    ] {
        let told = refused(&with(&[more]));
        assert!(told.contains(part), "{}: {told}", more.0);
    }
    let twice = [file("tests/x.json", b"{}"), file("tests/x.json", b"{}")];
    assert!(refused(&with(&twice)).contains("`tests/x.json` is there twice"));
}

#[test]
fn a_package_has_its_parts_and_a_bounded_number_of_them() {
    let component = package().component;
    assert_eq!(
        refused(&archive(&[file("component.wasm", &component)])),
        "the package has no `package.json`"
    );
    let late = archive(&[file("package.json", b"{}"), file("component.wasm", &component)]);
    assert!(refused(&late).contains("`package.json` stands in front of `component.wasm`"));
    assert!(refused(&archive(&[])).contains("it has no entries"));
    let names: Vec<String> = (0..501).map(|nth| format!("tests/{nth}.json")).collect();
    let tests: Vec<_> = names.iter().map(|name| file(name, b"{}")).collect();
    assert_eq!(refused(&with(&tests)), "the package has more than 500 tests");
    let large = vec![0; MAX_BYTES + 1];
    assert!(refused(&large).starts_with("the package has 29360129 bytes, more than"));
}

#[test]
fn what_it_says_of_its_component_must_be_so() {
    let mut other = package();
    other.about.digest = digest(b"other");
    assert!(refused(&other.write().unwrap()).contains("names the digest"), "by digest");
    let mut newer = package();
    newer.about.format = 2;
    assert!(refused(&newer.write().unwrap()).contains("is of format 2"));
    let package = package();
    let unknown = [
        file("component.wasm", &package.component),
        file("package.json", br#"{"format":1,"extra":1}"#),
        file("settings.schema.json", b"{}"),
    ];
    assert!(refused(&archive(&unknown)).contains("`package.json` cannot be read: unknown field"));
}

#[test]
fn nothing_comes_in_behind_the_end_and_nothing_may_be_cut_off() {
    let bytes = package().write().unwrap();
    let mut longer = bytes.clone();
    longer.extend_from_slice(b"more");
    assert_eq!(Package::read(&longer).unwrap_err(), PackageError::Trailing);
    // Every shorter one: an error or, without the zeros at the end, the package itself. Never a panic.
    let whole = Package::read(&bytes).unwrap();
    for end in 0..bytes.len() {
        match Package::read(&bytes[..end]) {
            Ok(read) => assert!(read == whole || end % 512 == 0, "{end}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn a_byte_that_was_changed_never_panics() {
    let bytes = package().write().unwrap();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            if let Ok(read) = Package::read(&changed) {
                assert_eq!(read.component, package().component, "{at}");
            }
        }
    }
}

#[test]
fn a_size_that_is_not_there_is_not_reserved() {
    let mut bytes = with(&[file("tests/x.json", b"{}")]);
    // The size of the last entry, in octal: what it claims is more than there is.
    let at = bytes.len() - 1024 - 512 - 512 + 124;
    bytes[at..at + 11].copy_from_slice(b"00000777777");
    assert!(Package::read(&bytes).is_err());
}

#[test]
fn nothing_is_written_that_would_not_be_read() {
    let mut long = package();
    long.tests[0].name = "../x.json".to_owned();
    assert!(long.write().is_err());
    let mut large = package();
    large.readme = Some("x".repeat(300 << 10));
    assert!(large.write().is_err());
    let mut many = package();
    many.signatures = vec![many.signatures[0].clone(); 17];
    assert_eq!(many.write().unwrap_err().to_string(), "the package has more than 16 signatures");
}
