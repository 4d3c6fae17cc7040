"""The digest of a guest's source, and the section of a component that carries it.

The digest is over the guest's folder, the SDK and the contract, as sorted paths with their contents; built
components, target folders, vectors and README files do not count. Used by `build` and `check`; needs Python 3 alone.
"""

import hashlib
import pathlib
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTION = b"leasehold:source-digest"
# Guest folder -> committed component. All paths are relative to the root.
GUESTS = {
    "plugins/least-privilege": "plugins/least-privilege/least-privilege.wasm",
    "plugins/no-privilege-escalation": "plugins/no-privilege-escalation/no-privilege-escalation.wasm",
    "plugins/deny-list": "plugins/deny-list/deny-list.wasm",
    "plugins/boundary-required": "plugins/boundary-required/boundary-required.wasm",
    "plugins/tags-and-names": "plugins/tags-and-names/tags-and-names.wasm",
    "plugins/ttl-limits": "plugins/ttl-limits/ttl-limits.wasm",
    "plugins/mfa-or-source-conditions": "plugins/mfa-or-source-conditions/mfa-or-source-conditions.wasm",
    "plugins/fixtures/hostile": "plugins/fixtures/hostile/hostile.wasm",
}
# What a guest is made from beside its own folder.
WAYS = ["crates/iam-policy/data/escalation.txt", "plugins/ways"]
ALSO = {"plugins/least-privilege": WAYS, "plugins/no-privilege-escalation": WAYS}
SHARED = ["plugins/sdk", "plugins/wit", "plugins/Cargo.toml", "plugins/Cargo.lock"]


def source_files(guest):
    """The files that a component is made from, sorted by their path."""
    for start in [guest, *ALSO.get(guest, []), *SHARED]:
        path = ROOT / start
        yield from sorted(path.rglob("*")) if path.is_dir() else [path]


def counts(path):
    inside = path.relative_to(ROOT).parts
    return (
        path.is_file()
        and "target" not in inside
        and "vectors" not in inside
        and path.suffix in (".rs", ".toml", ".wit", ".lock", ".json", ".txt")
    )


def content_of(path):
    """A file's bytes; of the workspace's manifests what builds depend on, so that a new guest leaves the others as they are."""
    if path == ROOT / "plugins/Cargo.toml":
        lines = path.read_text().splitlines()
        return "\n".join(line for line in lines if not line.startswith("members")).encode()
    if path == ROOT / "plugins/Cargo.lock":
        packages = tomllib.loads(path.read_text())["package"]
        lines = [f"{one['name']} {one['version']} {one['checksum']}" for one in packages if "checksum" in one]
        return "\n".join(sorted(lines)).encode()
    return path.read_bytes()


def source_digest(guest):
    """Hex of the SHA-256 over path, length and content of each file."""
    digest = hashlib.sha256()
    for path in sorted({path for path in source_files(guest) if counts(path)}):
        content = content_of(path)
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def leb128(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def carried_digest(component):
    """The digest in a component's outermost custom section, or None."""
    data = component.read_bytes()
    at, found = 8, None
    while at < len(data):
        kind = data[at]
        size, start = leb128(data, at + 1)
        at = start + size
        if kind == 0:
            length, name_at = leb128(data, start)
            if data[name_at : name_at + length] == SECTION:
                found = data[name_at + length : at].decode("ascii", "replace")
    return found
