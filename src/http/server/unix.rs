//! A socket in the file system: made for its owner alone, then given to whom the configuration says. What an earlier
//! process left behind is taken away; what is no socket, or what somebody serves, is not.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::fs::{Gid, Uid, chown};

use crate::config::UnixSocket;
use crate::system::accounts;

/// Binds it. Between bind and the last line nobody but the owner can connect: the process' mask is 077.
pub(super) fn bind(socket: &UnixSocket) -> io::Result<UnixListener> {
    let path = &socket.path;
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(io::Error::other("there is something else than a socket"));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    own(socket, path).inspect_err(|_failed| remove(path))?;
    Ok(listener)
}

fn own(socket: &UnixSocket, path: &Path) -> io::Result<()> {
    let user = socket.user.as_deref().map(accounts::user).transpose().map_err(io::Error::other)?;
    let group =
        socket.group.as_deref().map(accounts::group).transpose().map_err(io::Error::other)?;
    if user.is_some() || group.is_some() {
        let user = user.map(|user| Uid::from_raw(user.id));
        chown(path, user, group.map(Gid::from_raw))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(socket.mode))
}

/// Takes the name away when nobody listens there any more.
pub(super) fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "the socket was gone already");
    }
}
