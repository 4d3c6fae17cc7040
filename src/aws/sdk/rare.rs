//! What only a few users own, since somebody added it by hand: looked for where `DeleteUser` is
//! refused, since asking each time would cost five calls per lease. What is gone counts as done.

use futures_util::future::{BoxFuture, FutureExt as _, join_all};

use super::SdkProvider;
use super::call::{Call, Page, absent_is_none, every_page};
use crate::aws::{AwsError, RareBelongings};
use crate::model::UserName;

const GET_LOGIN_PROFILE: Call = Call::cleaning("GetLoginProfile");
const LIST_MFA_DEVICES: Call = Call::cleaning("ListMFADevices");
const LIST_SSH_KEYS: Call = Call::cleaning("ListSSHPublicKeys");
const LIST_CERTIFICATES: Call = Call::cleaning("ListSigningCertificates");
const LIST_SERVICE_CREDENTIALS: Call = Call::cleaning("ListServiceSpecificCredentials");
const DELETE_LOGIN_PROFILE: Call = Call::cleaning("DeleteLoginProfile");
const DEACTIVATE_MFA_DEVICE: Call = Call::cleaning("DeactivateMFADevice");
const DELETE_VIRTUAL_MFA: Call = Call::cleaning("DeleteVirtualMFADevice");
const DELETE_SSH_KEY: Call = Call::cleaning("DeleteSSHPublicKey");
const DELETE_CERTIFICATE: Call = Call::cleaning("DeleteSigningCertificate");
const DELETE_SERVICE_CREDENTIAL: Call = Call::cleaning("DeleteServiceSpecificCredential");

impl SdkProvider {
    pub(super) async fn read_rare_belongings(
        &self,
        user: &UserName,
    ) -> Result<RareBelongings, AwsError> {
        let user = user.as_str();
        let (login_profile, mfa, ssh, certificates, service) = tokio::join!(
            self.has_login_profile(user),
            self.list_mfa_devices(user),
            self.list_ssh_keys(user),
            self.list_certificates(user),
            self.list_service_credentials(user),
        );
        Ok(RareBelongings {
            login_profile: login_profile?,
            mfa_devices: mfa?,
            ssh_public_keys: ssh?,
            signing_certificates: certificates?,
            service_specific_credentials: service?,
        })
    }

    async fn has_login_profile(&self, user: &str) -> Result<bool, AwsError> {
        let request = self.client.get_login_profile().user_name(user);
        let profile = self.call(GET_LOGIN_PROFILE, || request.clone().send()).await;
        Ok(absent_is_none(profile)?.is_some())
    }

    async fn list_mfa_devices(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request = self.client.list_mfa_devices().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_MFA_DEVICES, || request.clone().send()).await?;
                let serials = answer.mfa_devices.into_iter().map(|device| device.serial_number);
                Ok(Page::new(serials.collect(), answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    async fn list_ssh_keys(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request = self.client.list_ssh_public_keys().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_SSH_KEYS, || request.clone().send()).await?;
                let keys = answer.ssh_public_keys().iter();
                let ids = keys.map(|key| key.ssh_public_key_id.clone()).collect();
                Ok(Page::new(ids, answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    async fn list_certificates(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request =
                self.client.list_signing_certificates().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_CERTIFICATES, || request.clone().send()).await?;
                let ids = answer.certificates.into_iter().map(|one| one.certificate_id);
                Ok(Page::new(ids.collect(), answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    async fn list_service_credentials(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request =
                self.client.list_service_specific_credentials().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_SERVICE_CREDENTIALS, || request.clone().send()).await?;
                let credentials = answer.service_specific_credentials().iter();
                let ids = credentials.map(|one| one.service_specific_credential_id.clone());
                Ok(Page::new(ids.collect(), answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    pub(super) async fn send_rare_removals(
        &self,
        user: &UserName,
        what: &RareBelongings,
    ) -> Result<(), AwsError> {
        let user = user.as_str();
        let mut removals: Vec<BoxFuture<'_, Result<(), AwsError>>> = Vec::new();
        if what.login_profile {
            let request = self.client.delete_login_profile().user_name(user);
            removals
                .push(self.remove(DELETE_LOGIN_PROFILE, move || request.clone().send()).boxed());
        }
        for serial in &what.mfa_devices {
            removals.push(self.remove_mfa_device(user, serial).boxed());
        }
        for id in &what.ssh_public_keys {
            let request = self.client.delete_ssh_public_key().user_name(user).ssh_public_key_id(id);
            removals.push(self.remove(DELETE_SSH_KEY, move || request.clone().send()).boxed());
        }
        for id in &what.signing_certificates {
            let request =
                self.client.delete_signing_certificate().user_name(user).certificate_id(id);
            removals.push(self.remove(DELETE_CERTIFICATE, move || request.clone().send()).boxed());
        }
        for id in &what.service_specific_credentials {
            let request = self
                .client
                .delete_service_specific_credential()
                .user_name(user)
                .service_specific_credential_id(id);
            let send = move || request.clone().send();
            removals.push(self.remove(DELETE_SERVICE_CREDENTIAL, send).boxed());
        }
        join_all(removals).await.into_iter().collect()
    }

    /// A virtual device outlives its user, and nobody would know whose it was: it goes at once. (IAM API
    /// reference, `DeactivateMFADevice`: a virtual device must be deleted too; `:mfa/` in the serial
    /// number tells it from a security key or a token of hardware.)
    async fn remove_mfa_device(&self, user: &str, serial: &str) -> Result<(), AwsError> {
        let request = self.client.deactivate_mfa_device().user_name(user).serial_number(serial);
        self.remove(DEACTIVATE_MFA_DEVICE, || request.clone().send()).await?;
        if !(serial.starts_with("arn:") && serial.contains(":mfa/")) {
            return Ok(());
        }
        let request = self.client.delete_virtual_mfa_device().serial_number(serial);
        self.remove(DELETE_VIRTUAL_MFA, || request.clone().send()).await
    }
}
