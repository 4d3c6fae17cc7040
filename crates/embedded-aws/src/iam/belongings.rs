//! What else a user may own and must lose before it can be deleted: a console password, MFA devices,
//! SSH keys, signing certificates, service-specific credentials. These are listed and deleted here; but
//! for the password, only [`add`] makes them, for tests. A virtual MFA device outlives its user.

use rand::RngCore;

use super::users::{existing, named_or_own};
use super::{BASE32, moment, random_text};
use crate::error::AwsError;
use crate::page::Page;
use crate::service::Request;
use crate::state::{Belonging, Entity, EntityRef, State};
use crate::validate;
use crate::xml::{Answer, Xml};

/// Carries out an action on belongings; `None` where it is none of these.
pub(super) fn dispatch(request: &mut Request<'_>) -> Option<Result<Answer, AwsError>> {
    use Belonging::{MfaDevice, ServiceSpecificCredential, SigningCertificate, SshPublicKey};
    Some(match request.action {
        "CreateLoginProfile" => create_login_profile(request),
        "GetLoginProfile" => get_login_profile(request),
        "DeleteLoginProfile" => delete_login_profile(request),
        "ListMFADevices" => list(request, MfaDevice),
        "DeactivateMFADevice" => delete(request, MfaDevice),
        "DeleteVirtualMFADevice" => delete_virtual_mfa(request),
        "ListVirtualMFADevices" => list_virtual_mfa(request),
        "ListSSHPublicKeys" => list(request, SshPublicKey),
        "DeleteSSHPublicKey" => delete(request, SshPublicKey),
        "ListSigningCertificates" => list(request, SigningCertificate),
        "DeleteSigningCertificate" => delete(request, SigningCertificate),
        "ListServiceSpecificCredentials" => list(request, ServiceSpecificCredential),
        "DeleteServiceSpecificCredential" => delete(request, ServiceSpecificCredential),
        _ => return None,
    })
}

/// Gives a user one more thing; gives its id.
pub(crate) fn add(
    state: &mut State,
    user: &str,
    kind: Belonging,
    (account, now): (&str, i64),
    rng: &mut dyn RngCore,
) -> Result<String, AwsError> {
    existing(state, user)?;
    let random = random_text(17, BASE32, rng);
    let id = match kind {
        Belonging::MfaDevice => format!("arn:aws:iam::{account}:mfa/{user}-{random}"),
        Belonging::SshPublicKey => format!("APKA{random}"),
        Belonging::SigningCertificate => format!("ASCA{random}{random}"),
        Belonging::ServiceSpecificCredential => format!("ACCA{random}"),
    };
    if let Some(user) = state.user_mut(user) {
        user.belongings.entry(kind).or_default().insert(id.clone(), now);
    }
    if kind == Belonging::MfaDevice {
        state.put(Entity::VirtualMfa(id.clone()));
    }
    Ok(id)
}

fn create_login_profile(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    let password = request.form.required("Password")?;
    validate::length("*".repeat(password.chars().count()).as_str(), "Password", 1, 128)?;
    if existing(request.state, &name)?.login_profile.is_some() {
        return Err(AwsError::entity_already_exists(format!(
            "Login Profile for user {name} already exists."
        )));
    }
    let now = request.now;
    if let Some(user) = request.state.user_mut(&name) {
        user.login_profile = Some(now);
    }
    Ok(Some(login_profile(&name, now)))
}

fn get_login_profile(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    match existing(request.state, &name)?.login_profile {
        Some(created) => Ok(Some(login_profile(&name, created))),
        None => Err(no_login_profile(&name)),
    }
}

fn delete_login_profile(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    if existing(request.state, &name)?.login_profile.is_none() {
        return Err(no_login_profile(&name));
    }
    if let Some(user) = request.state.user_mut(&name) {
        user.login_profile = None;
    }
    Ok(None)
}

fn login_profile(name: &str, created: i64) -> Xml {
    let mut xml = Xml::new();
    xml.tag("LoginProfile", |xml| {
        xml.text("UserName", name)
            .text("CreateDate", moment(created))
            .text("PasswordResetRequired", "false");
    });
    xml
}

fn no_login_profile(name: &str) -> AwsError {
    AwsError::no_such_entity(format!("Login Profile for User {name} cannot be found."))
}

fn list(request: &mut Request<'_>, kind: Belonging) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    let things = user.belongings.get(&kind).into_iter().flatten();
    let page = Page::of(request.form, things.map(|(id, created)| (id.as_str(), (id, *created))))?;
    let mut xml = Xml::new();
    xml.members(list_tag(kind), &page.items, |xml, (id, created)| {
        xml.text("UserName", &user.name).text(id_tag(kind), id);
        let at = moment(*created);
        match kind {
            Belonging::MfaDevice => xml.text("EnableDate", at),
            Belonging::SshPublicKey => xml.text("Status", "Active").text("UploadDate", at),
            Belonging::SigningCertificate => xml
                .text("CertificateBody", "made up")
                .text("Status", "Active")
                .text("UploadDate", at),
            Belonging::ServiceSpecificCredential => xml
                .text("Status", "Active")
                .text("ServiceUserName", format!("{}-at-{}", user.name, request.account))
                .text("CreateDate", at)
                .text("ServiceName", "codecommit.amazonaws.com"),
        };
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

fn delete(request: &mut Request<'_>, kind: Belonging) -> Result<Answer, AwsError> {
    let id = request.form.required(id_tag(kind))?;
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    if !user.belongings.get(&kind).is_some_and(|things| things.contains_key(id)) {
        let what = match kind {
            Belonging::MfaDevice => "MFA Device with serial number",
            Belonging::SshPublicKey => "Public Key with id",
            Belonging::SigningCertificate => "Certificate with id",
            Belonging::ServiceSpecificCredential => "Service Specific Credential with id",
        };
        return Err(AwsError::no_such_entity(format!("The {what} {id} cannot be found.")));
    }
    if let Some(things) =
        request.state.user_mut(&name).and_then(|user| user.belongings.get_mut(&kind))
    {
        things.remove(id);
    }
    Ok(None)
}

/// A virtual device is deactivated first.
fn delete_virtual_mfa(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let serial = request.form.required("SerialNumber")?;
    if holder(request.state, serial).is_some() {
        return Err(AwsError::delete_conflict("deactivate MFA device"));
    }
    if !request.state.virtual_mfa().contains(serial) {
        return Err(AwsError::no_such_entity(format!(
            "VirtualMFADevice with serial number {serial} does not exist."
        )));
    }
    request.state.remove(EntityRef::VirtualMfa(serial.to_owned()));
    Ok(None)
}

fn list_virtual_mfa(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    // IAM API, ListVirtualMFADevices: `Any` where nothing is said.
    let wanted = match request.form.get("AssignmentStatus") {
        None | Some("Any") => None,
        Some("Assigned") => Some(true),
        Some("Unassigned") => Some(false),
        Some(other) => {
            let rule = "Member must satisfy enum value set: [Unassigned, Any, Assigned]";
            return Err(validate::constraint(other, "AssignmentStatus", rule));
        }
    };
    let state = &request.state;
    let fits = |serial: &&String| wanted.is_none_or(|has| has == holder(state, serial).is_some());
    let devices = state.virtual_mfa().iter().filter(fits);
    let page = Page::of(request.form, devices.map(|serial| (serial.as_str(), serial)))?;
    let mut xml = Xml::new();
    xml.members("VirtualMFADevices", &page.items, |xml, serial| {
        xml.text("SerialNumber", serial);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

/// Who has the device.
fn holder<'a>(state: &'a State, serial: &str) -> Option<&'a str> {
    let has = |user: &&crate::state::User| {
        let devices = user.belongings.get(&Belonging::MfaDevice);
        devices.is_some_and(|devices| devices.contains_key(serial))
    };
    state.users().values().find(has).map(|user| user.name.as_str())
}

fn list_tag(kind: Belonging) -> &'static str {
    match kind {
        Belonging::MfaDevice => "MFADevices",
        Belonging::SshPublicKey => "SSHPublicKeys",
        Belonging::SigningCertificate => "Certificates",
        Belonging::ServiceSpecificCredential => "ServiceSpecificCredentials",
    }
}

fn id_tag(kind: Belonging) -> &'static str {
    match kind {
        Belonging::MfaDevice => "SerialNumber",
        Belonging::SshPublicKey => "SSHPublicKeyId",
        Belonging::SigningCertificate => "CertificateId",
        Belonging::ServiceSpecificCredential => "ServiceSpecificCredentialId",
    }
}
