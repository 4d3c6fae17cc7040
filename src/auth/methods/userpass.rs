//! People with a password (`userpass`): written, let in. A password is an Argon2id hash, sealed, from here on;
//! hashing runs beside the async threads, few at a time. A name of nobody costs as much time as a wrong
//! password.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use tracing::info;

use super::login::LetIn;
use super::params::changed;
use super::{MethodError, ParamsChange};
use crate::auth::{Auth, AuthError, Granted};
use crate::model::{AuthMount, LoginUser, Network, Password, TokenParams};
use crate::seal::PasswordHash;

impl Auth {
    /// A user.
    pub async fn login_user(
        &self,
        mount: &AuthMount,
        name: &str,
    ) -> Result<Option<LoginUser>, MethodError> {
        Ok(self.parts.store.login_user(&mount.id, &name.to_lowercase()).await?)
    }

    /// Writes a user, new or there already; a new one needs a password.
    pub async fn write_login_user(
        &self,
        mount: &AuthMount,
        name: &str,
        password: Option<Password>,
        change: ParamsChange,
    ) -> Result<(), MethodError> {
        let name = name.to_lowercase();
        let sent = match password.filter(|password| !password.is_empty()) {
            Some(password) => Some(self.sealed_password(mount, &name, password).await?),
            None => None,
        };
        let _alone = self.methods.changing.lock().await;
        let stored = self.login_user(mount, &name).await?;
        let (old, params) = match stored {
            Some(user) => (Some(user.password), user.token),
            None => (None, TokenParams::default()),
        };
        let password = sent.or(old).ok_or(MethodError::PasswordMissing)?;
        let user = LoginUser { name, password, token: changed(params, change)? };
        self.parts.store.put_login_user(&mount.id, &user).await?;
        info!(mount.path = %mount.path, "user `{}` of auth/{} written", user.name, mount.path);
        Ok(())
    }

    /// Changes something of a user that has to be there.
    pub async fn change_login_user(
        &self,
        mount: &AuthMount,
        name: &str,
        password: Option<Password>,
        change: ParamsChange,
    ) -> Result<(), MethodError> {
        if self.login_user(mount, name).await?.is_none() {
            return Err(MethodError::NoUser);
        }
        self.write_login_user(mount, name, password, change).await
    }

    /// Lets a person in who knows their password.
    pub async fn log_in_user(
        &self,
        mount: &AuthMount,
        name: &str,
        password: Option<Password>,
        remote: Option<IpAddr>,
    ) -> Result<Granted, MethodError> {
        let name = name.to_lowercase();
        self.must_not_be_locked(mount, &name)?;
        let sent = password.filter(|password| !password.is_empty());
        let password = sent.ok_or(MethodError::PasswordMissing)?;
        let found = self.login_user(mount, &name).await?;
        let hash = match &found {
            Some(user) => {
                self.parts.barrier.open_password(&user.password, &context(mount, &name))?
            }
            None => PasswordHash::nobodys(&self.parts.random),
        };
        let fits = self.hashing(move || hash.fits(&password)).await?;
        let Some(user) = found.filter(|_| fits) else {
            self.guessed_wrong(mount, &name);
            return Err(MethodError::WrongPassword);
        };
        // Many guesses may have waited for their turn at once: no more than the lockout lets through count.
        self.must_not_be_locked(mount, &name)?;
        if !Network::admit(&user.token.bound_cidrs, remote) {
            return Err(AuthError::Denied.into());
        }
        self.guessed_right(mount, &name);
        self.let_in(LetIn {
            mount,
            name: &name,
            shown: &name,
            alias: &name,
            groups: &[],
            path: format!("login/{name}"),
            params: &user.token,
            bound_cidrs: &user.token.bound_cidrs,
            meta: BTreeMap::from([("username".to_owned(), name.clone())]),
        })
        .await
    }

    async fn sealed_password(
        &self,
        mount: &AuthMount,
        name: &str,
        password: Password,
    ) -> Result<Vec<u8>, MethodError> {
        let random = self.parts.random.clone();
        let hash = self.hashing(move || PasswordHash::of(&password, &random)).await??;
        Ok(self.parts.barrier.seal_password(&hash, &context(mount, name))?)
    }

    /// Runs something slow when it is its turn, on a thread of its own.
    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, MethodError> {
        let failed = |why: &dyn std::fmt::Display| MethodError::Hashing(why.to_string());
        let turn = Arc::clone(&self.methods.hashing).acquire_owned().await;
        let turn = turn.map_err(|error| failed(&error))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|error| failed(&error))
    }
}

/// What the hash is sealed as: it opens as no other user's.
fn context(mount: &AuthMount, name: &str) -> String {
    format!("userpass/{}/{name}", mount.id.0)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::auth::AuthParts;
    use crate::auth::methods::{HASHES, NewAuthMount};
    use crate::aws::{Accounts, AwsBackend};
    use crate::clock::{Clock, ManualClock};
    use crate::leases::{LeaseParts, LeaseTiming, Leases};
    use crate::model::Timestamp;
    use crate::random::Random;
    use crate::seal::Barrier;
    use crate::store::Store;
    use crate::store::sqlite::Sqlite;

    /// With `bob` at `people/`, whose password is `right`.
    async fn auth() -> (Auth, Arc<AuthMount>) {
        let store: Arc<dyn Store> = Sqlite::temporary().unwrap();
        let clock: Arc<dyn Clock> =
            Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let random = Random::seeded(1);
        let accounts = Accounts::new(AwsBackend::Real, Arc::clone(&clock));
        let leases = Leases::new(LeaseParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            accounts: Arc::new(accounts),
            broker: "test-broker".into(),
            timing: LeaseTiming::default(),
            rng: random.clone(),
        });
        let barrier = Arc::new(Barrier::in_memory(&random));
        let auth = Auth::new(AuthParts { store, clock, barrier, random, leases });
        let new = NewAuthMount { kind: Some("userpass".to_owned()), ..NewAuthMount::default() };
        auth.enable_method("people", new).await.unwrap();
        let mount = auth.auth_mount("people/").unwrap();
        let password = Some(Password::new("right"));
        auth.write_login_user(&mount, "bob", password, ParamsChange::default()).await.unwrap();
        (auth, mount)
    }

    #[tokio::test]
    async fn a_name_of_nobody_takes_its_turn_at_hashing_as_a_wrong_password_does() {
        let (auth, mount) = auth().await;
        let turns = Arc::clone(&auth.methods.hashing);
        assert_eq!(turns.available_permits(), HASHES, "so many hashes at a time, and no more");
        let all = turns.acquire_many(u32::try_from(HASHES).unwrap()).await.unwrap();
        let wrong = |name| auth.log_in_user(&mount, name, Some(Password::new("wrong")), None);
        let (mut of_bob, mut of_nobody) = (pin!(wrong("bob")), pin!(wrong("nobody")));
        let mut seen = 0_u32;
        while seen < 100 {
            tokio::select! {
                biased;
                told = &mut of_bob => panic!("not hashed: {told:?}"),
                told = &mut of_nobody => panic!("not hashed: {told:?}"),
                () = tokio::task::yield_now() => seen = seen.saturating_add(1),
            }
        }
        drop(all);
        for told in [of_bob.await, of_nobody.await] {
            assert!(matches!(told, Err(MethodError::WrongPassword)), "{told:?}");
        }
    }
}
