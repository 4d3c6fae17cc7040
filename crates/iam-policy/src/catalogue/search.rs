//! Finding rows: one by its name, or all that a pattern covers.
//! A name costs one look into the index; a pattern is looked at only within its service and its literal beginning.
//! Used by the look-ups of the parent module.

use std::cmp::Ordering;

use super::index::hash;
use super::load::{Row, Service};
use super::{Action, Catalogue};
use crate::bytes::split_once;
use crate::wildcard::{has_wildcard, matches_action};

impl Catalogue {
    pub(super) fn service(&self, prefix: &str) -> Option<&Service> {
        let by_prefix = |service: &Service| compare(service.prefix, prefix);
        let index = self.services.binary_search_by(by_prefix).ok()?;
        self.services.get(index)
    }

    pub(super) fn rows_of(&self, service: &Service) -> &[Row] {
        self.rows.get(service.rows.clone()).unwrap_or_default()
    }

    pub(super) fn find(&self, action: &str) -> Option<(&Service, &Row)> {
        let (prefix, name) = split_once(action, b':')?;
        self.index.candidates(hash(&[action])).find_map(|row| {
            let row = self.rows.get(row).filter(|row| row.name.eq_ignore_ascii_case(name))?;
            let service = self.services.get(row.service)?;
            service.prefix.eq_ignore_ascii_case(prefix).then_some((service, row))
        })
    }

    pub(super) fn full_name(service: &Service, row: &Row) -> String {
        format!("{}:{}", service.prefix, row.name)
    }

    /// Calls `found` with every row that the pattern covers.
    pub(super) fn visit(&self, pattern: &str, mut found: impl FnMut(&Service, &Row)) {
        let Some((prefix, name)) = pattern.split_once(':') else {
            return self.visit_whole_names(pattern, found);
        };
        if has_wildcard(prefix) {
            for service in &self.services {
                if matches_action(prefix, service.prefix) {
                    self.visit_rows(service, name, &mut found);
                }
            }
        } else if let Some(service) = self.service(prefix) {
            self.visit_rows(service, name, &mut found);
        }
    }

    /// A pattern without a colon can only match if a wildcard runs over it.
    fn visit_whole_names(&self, pattern: &str, mut found: impl FnMut(&Service, &Row)) {
        if !pattern.contains(['*', '?']) {
            return;
        }
        for service in &self.services {
            for row in self.rows_of(service) {
                if matches_action(pattern, &Self::full_name(service, row)) {
                    found(service, row);
                }
            }
        }
    }

    fn visit_rows(&self, service: &Service, pattern: &str, found: &mut impl FnMut(&Service, &Row)) {
        let rows = self.rows_of(service);
        let literal = pattern.split(['*', '?']).next().unwrap_or_default();
        let rest = pattern.get(literal.len()..).unwrap_or_default();
        let first = rows.partition_point(|row| compare(row.name, literal) == Ordering::Less);
        for row in rows.get(first..).unwrap_or_default() {
            let name = row.name;
            let begins =
                name.get(..literal.len()).is_some_and(|start| start.eq_ignore_ascii_case(literal));
            if !begins {
                break;
            }
            let tail = name.get(literal.len()..).unwrap_or_default();
            if rest == "*" || matches_action(rest, tail) {
                found(service, row);
            }
        }
    }

    pub(super) fn action(service: &Service, row: &Row) -> Action<'static> {
        let mut columns = row.details.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        let types = pick(service.types, next());
        let keys = pick(service.keys, next());
        Action {
            name: Self::full_name(service, row),
            levels: row.levels,
            traits: row.traits,
            resource_types: types,
            condition_keys: keys,
            depends_on: next().split(',').filter(|name| !name.is_empty()).collect(),
            gone: row.gone,
        }
    }
}

/// The words of a list, joined by commas, at the given places.
fn pick<'a>(list: &'a str, places: &str) -> Vec<&'a str> {
    if places.is_empty() {
        return Vec::new();
    }
    let words: Vec<&str> = list.split(',').collect();
    places.split(',').filter_map(|place| words.get(place.parse::<usize>().ok()?).copied()).collect()
}

/// The order of names: by their lower-case bytes. Equal bytes, most of them, are not lowered.
fn compare(one: &str, other: &str) -> Ordering {
    for (left, right) in one.bytes().zip(other.bytes()) {
        if left != right {
            let order = left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase());
            if order.is_ne() {
                return order;
            }
        }
    }
    one.len().cmp(&other.len())
}
