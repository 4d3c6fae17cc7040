//! DeleteUser refuses as long as the user owns anything; afterwards nothing of it is left.

use crate::support::{S3_READ, World, refusal, sentence};

#[tokio::test]
async fn a_user_that_owns_anything_is_not_deleted() {
    let world = World::new();
    let iam = world.iam();
    let delete = || iam.delete_user().user_name("a").send();
    let key = world.user_with_key("a").await;
    let put = iam.put_user_policy().user_name("a").policy_name("p").policy_document(S3_READ);
    put.send().await.unwrap();
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    iam.attach_user_policy().user_name("a").policy_arn(arn).send().await.unwrap();
    world.aws.create_group("g", &[], &[]).unwrap();
    iam.add_user_to_group().user_name("a").group_name("g").send().await.unwrap();
    world.aws.add_login_profile("a").unwrap();
    let mfa = world.aws.add_mfa_device("a").unwrap();
    let ssh = world.aws.add_ssh_key("a").unwrap();
    let certificate = world.aws.add_signing_certificate("a").unwrap();
    let service = world.aws.add_service_credential("a").unwrap();

    let must = async |what: &str| {
        let refused = sentence(delete().await);
        assert_eq!(refused, format!("Cannot delete entity, must {what} first."));
    };
    assert_eq!(refusal(delete().await), "409 DeleteConflict");
    must("delete access keys").await;
    iam.delete_access_key().user_name("a").access_key_id(key.access_key_id()).send().await.unwrap();
    must("delete policies").await;
    iam.delete_user_policy().user_name("a").policy_name("p").send().await.unwrap();
    must("detach all policies").await;
    iam.detach_user_policy().user_name("a").policy_arn(arn).send().await.unwrap();
    must("remove users from group").await;
    iam.remove_user_from_group().user_name("a").group_name("g").send().await.unwrap();
    must("delete login profile").await;
    iam.delete_login_profile().user_name("a").send().await.unwrap();
    must("delete MFA device").await;
    let devices = iam.list_mfa_devices().user_name("a").send().await.unwrap();
    assert_eq!(devices.mfa_devices()[0].serial_number(), mfa);
    iam.deactivate_mfa_device().user_name("a").serial_number(mfa).send().await.unwrap();
    must("delete SSH public keys").await;
    let listed = iam.list_ssh_public_keys().user_name("a").send().await.unwrap();
    assert_eq!(listed.ssh_public_keys()[0].ssh_public_key_id(), ssh);
    iam.delete_ssh_public_key().user_name("a").ssh_public_key_id(ssh).send().await.unwrap();
    must("delete signing certificates").await;
    let listed = iam.list_signing_certificates().user_name("a").send().await.unwrap();
    assert_eq!(listed.certificates()[0].certificate_id(), certificate);
    iam.delete_signing_certificate()
        .user_name("a")
        .certificate_id(certificate)
        .send()
        .await
        .unwrap();
    must("delete service specific credentials").await;
    let listed = iam.list_service_specific_credentials().user_name("a").send().await.unwrap();
    assert_eq!(listed.service_specific_credentials()[0].service_specific_credential_id(), service);
    let last = iam.delete_service_specific_credential().user_name("a");
    last.service_specific_credential_id(service).send().await.unwrap();

    delete().await.unwrap();
    assert_eq!(refusal(delete().await), "404 NoSuchEntity");
    assert_eq!(world.aws.users(), []);
}

#[tokio::test]
async fn a_new_user_of_an_old_name_inherits_nothing() {
    let world = World::new();
    let iam = world.iam();
    world.aws.create_user("a", "/old/", &[("k", "v")]).unwrap();
    let old = world.aws.user("a").unwrap().id;
    iam.delete_user().user_name("a").send().await.unwrap();
    world.aws.create_user("A", "/", &[]).unwrap();
    let fresh = world.aws.user("a").unwrap();
    assert_ne!(fresh.id, old);
    assert!(fresh.tags.is_empty() && fresh.groups.is_empty() && !fresh.login_profile);
    let profile = iam.get_login_profile().user_name("a").send().await;
    assert_eq!(refusal(profile), "404 NoSuchEntity");
}

#[tokio::test]
async fn a_user_with_a_boundary_alone_is_deleted() {
    let world = World::new();
    let create = world.iam().create_user().user_name("a");
    create.permissions_boundary("arn:aws:iam::aws:policy/ReadOnlyAccess").send().await.unwrap();
    world.iam().delete_user().user_name("a").send().await.unwrap();
    assert_eq!(world.aws.users(), []);
}

#[tokio::test]
async fn a_virtual_mfa_device_outlives_its_user_until_it_is_deleted() {
    let world = World::new();
    let iam = world.iam();
    world.aws.create_user("a", "/", &[]).unwrap();
    let mfa = world.aws.add_mfa_device("a").unwrap();
    let gone = || iam.delete_virtual_mfa_device().serial_number(&mfa).send();
    assert_eq!(refusal(gone().await), "409 DeleteConflict");
    iam.deactivate_mfa_device().user_name("a").serial_number(&mfa).send().await.unwrap();
    iam.delete_user().user_name("a").send().await.unwrap();
    let idle = iam.list_virtual_mfa_devices().assignment_status("Unassigned".into());
    let idle = idle.send().await.unwrap();
    assert_eq!(idle.virtual_mfa_devices()[0].serial_number(), mfa);
    gone().await.unwrap();
    assert_eq!(refusal(gone().await), "404 NoSuchEntity");
    assert!(world.aws.virtual_mfa_devices().is_empty());
}
