//! What is lost with the answer to a rekey, and what is not. The rest of a rekey is in [`crate::seal`].

use serde_json::json;

use crate::seal::{give, texts, unseal, unsealed};

#[test]
fn new_shares_whose_answer_was_lost_are_given_up_and_drawn_anew() {
    let (mut broker, old) = unsealed(1, 1);
    let anyone = broker.anyone();
    let wish = json!({ "secret_shares": 1, "secret_threshold": 1, "require_verification": true });
    let begun = anyone.put("sys/rekey/init", &wish).expect(200).json;
    let body = json!({ "nonce": begun["nonce"], "key": old[0] });
    // Nobody keeps this answer: the new shares are gone for good.
    let lost = texts(&anyone.put("sys/rekey/update", &body).expect(200).json["keys_base64"]);
    let standing = anyone.get("sys/rekey/init").expect(200).json;
    assert_eq!(
        (&standing["started"], &standing["verification_required"]),
        (&json!(true), &json!(true))
    );
    assert!(!standing["verification_nonce"].as_str().unwrap().is_empty(), "it can be seen to wait");

    anyone.delete("sys/rekey/init").expect(204);
    let begun = anyone.put("sys/rekey/init", &wish).expect(200).json;
    let body = json!({ "nonce": begun["nonce"], "key": old[0] });
    let done = anyone.put("sys/rekey/update", &body).expect(200).json;
    let new = texts(&done["keys_base64"]);
    let given = json!({ "nonce": done["verification_nonce"], "key": lost[0] });
    anyone.put("sys/rekey/verify", &given).expect(400);
    let given = json!({ "nonce": done["verification_nonce"], "key": new[0] });
    assert_eq!(anyone.put("sys/rekey/verify", &given).expect(200).json["complete"], true);
    broker.restart();
    for opens_nothing in [&old, &lost] {
        give(&broker, &opens_nothing[0]).expect(400);
    }
    assert_eq!(unseal(&broker, &new)["sealed"], false);
}
