//! What names of AWS say about whose they are. Pure text; an endpoint that is not AWS's may say nothing that can be
//! read, and then nothing is known. Who asks AWS: [`super::accounts`].

/// The account of an ARN, `arn:partition:service:region:account:resource` (IAM User Guide, "IAM ARNs").
pub fn account_of(arn: &str) -> Option<String> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    is_account(account).then(|| account.to_owned())
}

/// Whether a text is the id of an account: 12 digits (AWS Account Management, "account identifiers").
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_its_account() {
        let of = |arn: &str| account_of(arn);
        let account = Some("123456789012".to_owned());
        assert_eq!(of("arn:aws:iam::123456789012:user/team/u"), account);
        assert_eq!(of("arn:aws-cn:sts::123456789012:assumed-role/r/s"), account);
        for other in
            ["", "arn:aws:iam::aws:policy/x", "arn:aws:iam", "user/u", "arn:aws:iam::12:user/u"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
