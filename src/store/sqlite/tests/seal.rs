//! The seal: written once at init, whole at every change, and read back as it was.

use super::*;
use crate::model::{RecoveryRecord, SealKind, SealRecord};
use crate::store::SealStore;

#[tokio::test]
async fn a_seal_is_initialised_once_and_changed_whole() {
    let store = store().await;
    let first = SealRecord {
        kind: SealKind::Shamir,
        shares: 5,
        threshold: 3,
        wrapped_root: vec![1, 0, 255],
        wrapped_keyring: vec![2],
        recovery: None,
    };
    assert_eq!(store.seal().await.unwrap(), None);
    assert!(matches!(store.save_seal(&first).await, Err(StoreError::Conflict)));
    assert!(store.init_seal(&first).await.unwrap());
    let recovery = RecoveryRecord { shares: 255, threshold: 2, wrapped_key: vec![9; 300] };
    let second = SealRecord {
        kind: SealKind::AwsKms,
        shares: 1,
        threshold: 1,
        recovery: Some(recovery),
        ..first.clone()
    };
    assert!(!store.init_seal(&second).await.unwrap());
    assert_eq!(store.seal().await.unwrap(), Some(first));
    store.save_seal(&second).await.unwrap();
    assert_eq!(store.seal().await.unwrap(), Some(second));
}
