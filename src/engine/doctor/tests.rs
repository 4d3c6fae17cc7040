//! The checks that need no account.

use super::*;

#[test]
fn the_worst_check_is_the_status_of_all() {
    let all = [Health::Ok, Health::Warn, Health::Unknown];
    assert_eq!(all.iter().max(), Some(&Health::Warn));
    assert!(Health::Fail > Health::Warn && Health::Unknown > Health::Ok);
}

#[test]
fn a_check_is_written_in_small_letters() {
    let check = Check::new("clock aws/", Health::Fail, "off").help("set it");
    let written = serde_json::to_value(&check).unwrap();
    assert_eq!(written["status"], "fail");
    assert_eq!(written["help"], "set it");
}
