//! Tests of the bundled catalogue: canaries that a wrong build would trip over, and the look-ups.

use std::collections::BTreeSet;

use super::*;

fn action(name: &str) -> Action<'static> {
    Catalogue::bundled().lookup(name).unwrap()
}

fn summary(entry: &str) -> ActionSummary {
    Catalogue::bundled().annotate(entry)
}

#[test]
fn the_canaries_sing() {
    assert!(Catalogue::bundled().services().len() > 440);
    assert!(summary("*").covers > 22_000);
    let pass_role = action("iam:PassRole");
    assert!(pass_role.levels.contains(Levels::PERMISSIONS_MANAGEMENT));
    assert!(pass_role.traits.contains(Traits::ESCALATES));
    let get_object = action("s3:GetObject");
    assert_eq!(get_object.levels, Levels::READ);
    assert!(get_object.traits.contains(Traits::READS_DATA));
    assert!(get_object.resource_types.contains(&"object"));
    assert!(action("ec2:RunInstances").resource_types.len() > 10);
    assert!(action("iam:PassRole").condition_keys.contains(&"iam:PassedToService"));
    assert!(action("iam:CreateAccessKey").traits.contains(Traits::ISSUES_CREDENTIALS));
    assert!(action("s3:PutBucketPolicy").traits.contains(Traits::EXPOSES));
    assert!(action("ec2:DescribeInstances").traits.contains(Traits::ANY_RESOURCE_ONLY));
    assert!(!action("s3:GetObject").traits.contains(Traits::ANY_RESOURCE_ONLY));
    assert!(action("ec2:CreateTags").levels.contains(Levels::TAGGING));
    assert!(action("s3:ListBucket").levels.contains(Levels::LIST));
}

#[test]
fn every_known_action_is_found_by_its_name() {
    let catalogue = Catalogue::bundled();
    let expansion = catalogue.expand("*", u32::MAX);
    assert_eq!(u32::try_from(expansion.actions.len()).unwrap(), expansion.total);
    let mut folded = BTreeSet::new();
    for name in &expansion.actions {
        assert_eq!(catalogue.lookup(&name.to_uppercase()).unwrap().name, *name);
        assert!(folded.insert(name.to_lowercase()), "{name} is there twice");
    }
}

#[test]
fn every_action_has_a_level_and_dependents_that_exist() {
    let catalogue = Catalogue::bundled();
    let mut unknown = BTreeSet::new();
    for name in catalogue.expand("*", u32::MAX).actions {
        let found = catalogue.lookup(&name).unwrap();
        assert!(!found.levels.is_empty() && !found.levels.intersects(Levels::UNKNOWN), "{name}");
        unknown
            .extend(found.depends_on.into_iter().filter(|other| catalogue.lookup(other).is_none()));
    }
    // The sources name a few that are misspelt or gone.
    assert!(unknown.len() < 40, "{unknown:?}");
}

#[test]
fn a_pattern_covers_what_matching_one_by_one_covers() {
    let catalogue = Catalogue::bundled();
    let everything = catalogue.expand("*", u32::MAX).actions;
    for pattern in [
        "s3:Get*",
        "S3:*",
        "iam:*Role*",
        "ec2:Describe?nstances",
        "s*:GetObject",
        "*:*Policy",
        "s3*",
        "?3:*",
        "s3:getobject*",
    ] {
        let expected: Vec<&String> = everything
            .iter()
            .filter(|name| crate::wildcard::matches_action(pattern, name))
            .collect();
        let expansion = catalogue.expand(pattern, u32::MAX);
        assert_eq!(expansion.actions.iter().collect::<Vec<_>>(), expected, "{pattern}");
        assert_eq!(summary(pattern).covers, expansion.total, "{pattern}");
        assert_eq!(summary(pattern).form, Form::Pattern, "{pattern}");
        let levels = expected.iter().fold(Levels::NONE, |all, name| all.union(action(name).levels));
        assert_eq!(summary(pattern).levels, levels, "{pattern}");
    }
}

#[test]
fn the_limit_cuts_the_names_and_not_the_total() {
    let expansion = Catalogue::bundled().expand("s3:*", 3);
    assert_eq!(expansion.actions.len(), 3);
    assert!(expansion.total > 100);
}

#[test]
fn entries_are_told_apart_by_form() {
    assert_eq!(summary("*").form, Form::All);
    assert_eq!(summary("*:*"), summary("*"));
    assert_eq!(summary("s3:getobject").form, Form::Exact);
    for unknown in ["s3:ListBuckets", "s33:GetObject", "", "s3", ":", "s3:"] {
        assert_eq!(summary(unknown), ActionSummary::UNKNOWN, "{unknown}");
    }
    let nothing = summary("s3:Nothing*");
    assert_eq!((nothing.form, nothing.covers, nothing.levels), (Form::Pattern, 0, Levels::UNKNOWN));
}

#[test]
fn any_resource_only_is_said_of_a_pattern_only_if_true_of_all() {
    assert!(!summary("ec2:*").traits.contains(Traits::ANY_RESOURCE_ONLY));
    assert!(summary("ec2:DescribeInstance*").covers > 1);
    assert!(summary("iam:*").traits.contains(Traits::ESCALATES));
}

#[test]
fn misspelt_names_have_a_nearest_one() {
    let nearest = |name: &str| Catalogue::bundled().nearest(name);
    assert_eq!(nearest("s3:GetObjekt").as_deref(), Some("s3:GetObject"));
    assert_eq!(nearest("s33:GetObject").as_deref(), Some("s3:GetObject"));
    assert_eq!(nearest("s3:SomethingElseAltogether"), None);
}

#[test]
fn the_version_names_the_package() {
    assert!(Catalogue::bundled().version().starts_with("0."));
}
