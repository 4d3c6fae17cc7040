//! Secret ids of a role (contract 3.3): made, shown, ended. One is given out once and stored as a keyed
//! digest; it is never more than its role allows. What it opens: [`super::login`].

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::info;

use super::super::MethodError;
use super::super::params::networks;
use crate::auth::Auth;
use crate::model::{
    Accessor, AppRole, AuthMount, Network, SecretId, SecretIdDigest, StoredSecretId, Timestamp,
};
use crate::store::StoreError;

/// What a secret id is made from; `None` = not sent.
#[derive(Debug, Default)]
pub struct NewSecretId {
    /// The secret id itself, chosen by the caller.
    pub chosen: Option<SecretId>,
    /// A JSON object of texts.
    pub metadata: Option<String>,
    /// Where logins may come from.
    pub cidrs: Option<Vec<String>>,
    /// Where its tokens may be used from.
    pub token_bound_cidrs: Option<Vec<String>>,
    /// At most the role's.
    pub num_uses: Option<i64>,
    /// Seconds, at most the role's.
    pub ttl: Option<u64>,
}

/// A secret id as it is given out, for the first and only time.
#[derive(Debug)]
pub struct GivenSecretId {
    /// The secret id.
    pub secret_id: SecretId,
    /// What is stored of it.
    pub stored: StoredSecretId,
}

impl Auth {
    /// Makes a secret id of a role.
    pub async fn create_secret_id(
        &self,
        mount: &AuthMount,
        role: &str,
        new: NewSecretId,
    ) -> Result<GivenSecretId, MethodError> {
        let _alone = self.methods.changing.lock().await;
        let role = self.known_role(mount, role).await?;
        if !role.bind_secret_id {
            return Err(MethodError::NotBound);
        }
        let now = self.parts.clock.now();
        let secret_id =
            new.chosen.clone().unwrap_or_else(|| SecretId::new(self.parts.random.uuid()));
        let digest = self.secret_digest(mount, &role.name, &secret_id)?;
        let accessor = Accessor(self.parts.random.uuid());
        let stored = stored(&role, new, (digest, accessor), now)?;
        match self.parts.store.put_secret_id(&mount.id, &stored, now).await {
            Err(StoreError::Conflict) => return Err(MethodError::SecretIdTaken),
            written => written?,
        }
        info!(role.name = %role.name, mount.path = %mount.path, "secret id of role {} made", role.name);
        Ok(GivenSecretId { secret_id, stored })
    }

    /// The handles of a role's secret ids.
    pub async fn secret_id_accessors(
        &self,
        mount: &AuthMount,
        role: &str,
    ) -> Result<Vec<String>, MethodError> {
        let role = self.app_role(mount, role).await?.ok_or_else(|| {
            // The list has a status of its own for it.
            MethodError::NoRoleToList(role.to_lowercase())
        })?;
        let now = self.parts.clock.now();
        let found = self.parts.store.secret_id_accessors(&mount.id, &role.name, now).await?;
        Ok(found.into_iter().map(|accessor| accessor.0).collect())
    }

    /// A secret id by itself; `None` where there is none, or its time is over.
    pub async fn look_up_secret_id(
        &self,
        mount: &AuthMount,
        role: &str,
        secret_id: &SecretId,
    ) -> Result<Option<StoredSecretId>, MethodError> {
        let role = self.known_role(mount, role).await?;
        self.live_secret_id(mount, &role, secret_id).await
    }

    /// A secret id by its public handle.
    pub async fn look_up_secret_id_accessor(
        &self,
        mount: &AuthMount,
        role: &str,
        accessor: &Accessor,
    ) -> Result<StoredSecretId, MethodError> {
        let role = self.known_role(mount, role).await?;
        let now = self.parts.clock.now();
        let found = self.parts.store.secret_id_by_accessor(&mount.id, &role.name, accessor).await?;
        let found = found.filter(|stored| is_live(stored, now));
        found.ok_or_else(|| MethodError::NoAccessor(accessor.0.clone()))
    }

    /// Ends a secret id; one that is not there has ended already. Tokens that it made live on.
    pub async fn destroy_secret_id(
        &self,
        mount: &AuthMount,
        role: &str,
        secret_id: &SecretId,
    ) -> Result<(), MethodError> {
        let role = self.known_role(mount, role).await?;
        let digest = self.secret_digest(mount, &role.name, secret_id)?;
        Ok(self.parts.store.remove_secret_id(&mount.id, &role.name, &digest).await?)
    }

    /// Ends the secret id with this handle.
    pub async fn destroy_secret_id_accessor(
        &self,
        mount: &AuthMount,
        role: &str,
        accessor: &Accessor,
    ) -> Result<(), MethodError> {
        let found = self.look_up_secret_id_accessor(mount, role, accessor).await?;
        Ok(self.parts.store.remove_secret_id(&mount.id, &found.role, &found.digest).await?)
    }

    /// Forgets secret ids whose time is over. They open nothing either way.
    pub async fn tidy_secret_ids(&self, mount: &AuthMount) -> Result<u64, MethodError> {
        Ok(self.parts.store.tidy_secret_ids(&mount.id, self.parts.clock.now()).await?)
    }

    pub(super) async fn live_secret_id(
        &self,
        mount: &AuthMount,
        role: &AppRole,
        secret_id: &SecretId,
    ) -> Result<Option<StoredSecretId>, MethodError> {
        use subtle::ConstantTimeEq;
        let digest = self.secret_digest(mount, &role.name, secret_id)?;
        let now = self.parts.clock.now();
        let found = self.parts.store.secret_id(&mount.id, &role.name, &digest).await?;
        Ok(found.filter(|stored| {
            bool::from(stored.digest.0.as_bytes().ct_eq(digest.0.as_bytes()))
                && is_live(stored, now)
        }))
    }

    fn secret_digest(
        &self,
        mount: &AuthMount,
        role: &str,
        secret_id: &SecretId,
    ) -> Result<SecretIdDigest, MethodError> {
        let context = format!("{}/{role}", mount.id.0);
        Ok(self.parts.barrier.secret_id_digest(secret_id, &context)?)
    }
}

fn is_live(stored: &StoredSecretId, now: Timestamp) -> bool {
    stored.expires_at.is_none_or(|end| now < end)
}

/// The new secret id, as far as its role allows it.
fn stored(
    role: &AppRole,
    new: NewSecretId,
    (digest, accessor): (SecretIdDigest, Accessor),
    now: Timestamp,
) -> Result<StoredSecretId, MethodError> {
    let num_uses = new.num_uses.unwrap_or(role.secret_id_num_uses);
    if num_uses < 0 {
        return Err(MethodError::Negative("num_uses"));
    }
    // 0 is without limit.
    let most = role.secret_id_num_uses;
    if most > 0 && (num_uses == 0 || num_uses > most) {
        return Err(MethodError::TooManyUses);
    }
    let ttl = new.ttl.unwrap_or(role.secret_id_ttl);
    if role.secret_id_ttl > 0 && (ttl == 0 || ttl > role.secret_id_ttl) {
        return Err(MethodError::TooLong);
    }
    let cidrs = networks("cidr_list", new.cidrs)?.unwrap_or_default();
    within("cidr_list", &cidrs, &role.secret_id_bound_cidrs)?;
    let token_bound_cidrs =
        networks("token_bound_cidrs", new.token_bound_cidrs)?.unwrap_or_default();
    within("token_bound_cidrs", &token_bound_cidrs, &role.token.bound_cidrs)?;
    Ok(StoredSecretId {
        role: role.name.clone(),
        digest,
        accessor,
        uses_left: num_uses,
        ttl,
        created_at: now,
        expires_at: (ttl > 0).then(|| now.after(Duration::from_secs(ttl))),
        metadata: metadata(new.metadata)?,
        cidrs,
        token_bound_cidrs,
    })
}

fn metadata(sent: Option<String>) -> Result<BTreeMap<String, String>, MethodError> {
    let Some(text) = sent.filter(|text| !text.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_str(&text).map_err(|_no_object| MethodError::BadMetadata)
}

/// Networks may narrow the role's, not widen them.
fn within(field: &'static str, own: &[Network], role: &[Network]) -> Result<(), MethodError> {
    let covered = |one: &Network| role.iter().any(|wide| wide.covers(one));
    if role.is_empty() || own.iter().all(covered) {
        Ok(())
    } else {
        Err(MethodError::OutsideRole(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TokenParams;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn role() -> AppRole {
        AppRole {
            name: "ci".to_owned(),
            role_id: "id".to_owned(),
            bind_secret_id: true,
            secret_id_bound_cidrs: vec!["10.0.0.0/8".parse().unwrap()],
            secret_id_num_uses: 3,
            secret_id_ttl: 600,
            local_secret_ids: false,
            token: TokenParams::default(),
        }
    }

    fn made(new: NewSecretId) -> Result<StoredSecretId, String> {
        let of = (SecretIdDigest("d".to_owned()), Accessor("a".to_owned()));
        stored(&role(), new, of, NOW).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_id_takes_what_its_role_says() {
        let one = made(NewSecretId::default()).unwrap();
        assert_eq!((one.uses_left, one.ttl), (3, 600));
        assert_eq!(one.expires_at, Some(NOW.after(Duration::from_mins(10))));
        let narrow = NewSecretId {
            num_uses: Some(1),
            ttl: Some(60),
            cidrs: Some(vec!["10.1.0.0/16".into()]),
            metadata: Some(r#"{"job":"7"}"#.into()),
            ..NewSecretId::default()
        };
        let one = made(narrow).unwrap();
        assert_eq!((one.uses_left, one.ttl, one.cidrs.len()), (1, 60, 1));
        assert_eq!(one.metadata.get("job").map(String::as_str), Some("7"));
    }

    #[test]
    fn a_secret_id_is_never_more_than_its_role_allows() {
        let new = NewSecretId::default;
        for uses in [0, 4] {
            let told = made(NewSecretId { num_uses: Some(uses), ..new() }).unwrap_err();
            assert_eq!(told, "num_uses cannot be higher than the role's secret_id_num_uses");
        }
        for ttl in [0, 601] {
            let told = made(NewSecretId { ttl: Some(ttl), ..new() }).unwrap_err();
            assert_eq!(told, "ttl cannot be longer than the role's secret_id_ttl");
        }
        let wide = NewSecretId { cidrs: Some(vec!["0.0.0.0/0".into()]), ..new() };
        assert!(made(wide).unwrap_err().starts_with("`cidr_list` of the secret id"));
        let bad = NewSecretId { metadata: Some("[1]".into()), ..new() };
        assert!(made(bad).unwrap_err().starts_with("failed to parse metadata"));
        let negative = NewSecretId { num_uses: Some(-1), ..new() };
        assert_eq!(made(negative).unwrap_err(), "'num_uses' cannot be negative");
    }
}
