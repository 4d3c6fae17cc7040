//! ACL policies as rows: a name and a text. Read only when a set of policies is compiled, so nothing is
//! kept in memory here. The trait is [`PolicyStore`].

use async_trait::async_trait;
use rusqlite::OptionalExtension;

use super::Sqlite;
use crate::store::StoreError;
use crate::store::policies::PolicyStore;

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl PolicyStore for Sqlite {
    async fn acl_policy(&self, name: &str) -> Result<Option<String>> {
        self.readers.point(|db| {
            let mut query = db.prepare_cached("SELECT text FROM acl_policy WHERE name = ?1")?;
            Ok(query.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    async fn acl_policy_names(&self) -> Result<Vec<String>> {
        let read = |db: &rusqlite::Connection| {
            let mut query = db.prepare_cached("SELECT name FROM acl_policy ORDER BY name")?;
            let names = query.query_map([], |row| row.get(0))?;
            Ok(names.collect::<std::result::Result<_, _>>()?)
        };
        self.readers.long(read).await
    }

    async fn put_acl_policy(&self, name: &str, text: &str) -> Result<()> {
        let (name, text) = (name.to_owned(), text.to_owned());
        self.write(move |w| {
            w.db.prepare_cached(
                "INSERT INTO acl_policy (name, text) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET text = excluded.text",
            )?
            .execute((name, text))?;
            Ok(())
        })
        .await
    }

    async fn remove_acl_policy(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM acl_policy WHERE name = ?1")?.execute([name])?;
            Ok(())
        })
        .await
    }
}
