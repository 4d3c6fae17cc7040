//! Unpacks the bundled data and finds the start of each row; nothing else is parsed before it is asked for.
//! Never panics: data that do not fit the format give an empty catalogue, which the tests of the parent module refuse.
//! The format is described in `scripts/catalogue/README.md`, written by `scripts/catalogue/build`.

use std::io::Read;
use std::ops::Range;

use super::index::{Index, hash};
use super::{ActionSummary, Catalogue, Collected, Form, Levels, Traits};

/// The data, brotli over text.
const DATA: &[u8] = include_bytes!("../../data/catalogue.txt.br");

/// How brotli's input is read.
const BUFFER_BYTES: usize = 4_096;

/// One service; its actions are `rows` in the catalogue.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) prefix: &'static str,
    /// Resource types, separated by commas.
    pub(super) types: &'static str,
    /// Condition keys, separated by commas.
    pub(super) keys: &'static str,
    pub(super) rows: Range<usize>,
    /// What `service:*` comes to.
    pub(super) summary: ActionSummary,
}

/// One action.
#[derive(Debug)]
pub(super) struct Row {
    /// Its service, by its place in the list.
    pub(super) service: usize,
    pub(super) name: &'static str,
    /// Types, keys and dependent actions: read when asked for.
    pub(super) details: &'static str,
    pub(super) levels: Levels,
    pub(super) traits: Traits,
    pub(super) gone: bool,
}

pub(super) fn bundled() -> Catalogue {
    let mut text = String::new();
    let mut unpacked = brotli_decompressor::Decompressor::new(DATA, BUFFER_BYTES);
    if unpacked.read_to_string(&mut text).is_err() {
        text.clear();
    }
    // Held for good: the one catalogue of the process is made once, and its rows point into the text.
    parse(text.leak())
}

fn parse(text: &'static str) -> Catalogue {
    let mut version = "";
    let mut services: Vec<Service> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut collected = Collected::default();
    let mut all = Collected::default();
    for line in text.split('\n') {
        if let Some(found) = line.strip_prefix("#version ") {
            version = found;
        } else if let Some(header) = line.strip_prefix('@') {
            close(&mut services, &collected, rows.len());
            collected = Collected::default();
            services.push(service(header, rows.len()));
        } else if !line.is_empty() && !line.starts_with('#') {
            let row = row(line, services.len().saturating_sub(1));
            collected.add(&row);
            all.add(&row);
            rows.push(row);
        }
    }
    close(&mut services, &collected, rows.len());
    let prefix = |row: &Row| services.get(row.service).map_or("", |service| service.prefix);
    let index = Index::of(rows.iter().map(|row| hash(&[prefix(row), ":", row.name])));
    Catalogue { version, services, rows, index, all: all.finish(Form::All) }
}

fn close(services: &mut [Service], collected: &Collected, rows: usize) {
    if let Some(last) = services.last_mut() {
        last.rows.end = rows;
        last.summary = collected.finish(Form::Pattern);
    }
}

fn service(header: &'static str, first_row: usize) -> Service {
    let (prefix, rest) = column(header);
    let (types, keys) = column(rest);
    Service { prefix, types, keys, rows: first_row..first_row, summary: ActionSummary::UNKNOWN }
}

fn row(line: &'static str, service: usize) -> Row {
    let (name, rest) = column(line);
    let (flags, details) = column(rest);
    let levels = flags.chars().filter(char::is_ascii_uppercase).map(Levels::from_letter);
    Row {
        service,
        name,
        details,
        levels: levels.fold(Levels::NONE, Levels::union),
        traits: flags.chars().map(Traits::from_letter).fold(Traits::NONE, Traits::union),
        gone: flags.contains('-'),
    }
}

/// The first column of a line, and the rest.
fn column(line: &'static str) -> (&'static str, &'static str) {
    line.split_once('\t').unwrap_or((line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_catalogue_is_read_whole() {
        let text = "#version 1\n@ec2\tinstance\tec2:Region\nRunInstances\tWa\t0\t0\t\n@s3\tbucket,object\t\nGetObject\tRd\t1\t\t\nOld\tW-\t\t\t\n";
        let catalogue = parse(text);
        assert_eq!(catalogue.version(), "1");
        assert_eq!(catalogue.services().collect::<Vec<_>>(), ["ec2", "s3"]);
        let found = catalogue.lookup("S3:getobject").unwrap();
        assert_eq!((found.name.as_str(), found.resource_types), ("s3:GetObject", vec!["object"]));
        assert_eq!(catalogue.lookup("ec2:RunInstances").unwrap().condition_keys, ["ec2:Region"]);
        assert!(catalogue.lookup("s3:Old").unwrap().gone);
        assert_eq!(catalogue.annotate("*").covers, 3);
    }

    #[test]
    fn broken_data_give_an_empty_catalogue() {
        assert_eq!(parse("").services().count(), 0);
        assert_eq!(parse("@\n\t\n").lookup("s3:GetObject"), None);
    }
}
