"""Makes a copy of Vault's source buildable on its own, and quick: for scripts/clients/vault-cli.

Takes out what the CLI's commands do not need (plugins, login methods and storage of other clouds), and lets it be built
with the published versions of its own modules, which its release had beside it in the same tree.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])

# What stays of the packages that are imported by a name, per file. The rest goes with all that names it.
KEPT = {
    "command/commands.go": "auditFile auditSocket auditSyslog credOIDC credCert credGitHub credLdap credToken"
    " credUserpass logicalKv logicalDb physRaft physFile physInmem sr",
    "helper/builtinplugins/registry.go": "credJWT credKube credAppRole credCert credUserpass logicalAws logicalKv",
}

ORIGINAL_BODY = """package vault

import (
	"context"
	"io"
)

type ctxKeyOriginalBody struct{}

func ContextOriginalBodyValue(ctx context.Context) (io.ReadCloser, bool) {
	value, ok := ctx.Value(ctxKeyOriginalBody{}).(io.ReadCloser)
	return value, ok
}

func CreateContextOriginalBody(parent context.Context, body io.ReadCloser) context.Context {
	return context.WithValue(parent, ctxKeyOriginalBody{}, body)
}
"""


def change(name: str, pattern: str, to: str) -> None:
    path = ROOT / name
    text, count = re.subn(pattern, to, path.read_text(), flags=re.M)
    assert count, (name, pattern)
    path.write_text(text)


def trim(name: str, kept: set[str]) -> None:
    path = ROOT / name
    text = path.read_text()
    for alias in re.findall(r'^\t(\w+) "[^"]+"$', text, re.M):
        if alias in kept:
            continue
        text = re.sub(rf'^\t{alias} "[^"]+"\n', "", text, flags=re.M)
        # Entries of several lines, then those of one.
        entry = rf'^\t+"[^"]+": \{{\n\t+Factory:\s+{alias}\.[^\n]*\n(?:[^\n]*\n)??\t+\}},\n'
        text = re.sub(entry, "", text, flags=re.M)
        text = re.sub(rf'^\t+"[^"]+":\s+&?\{{?(?:Factory: )?{alias}\.\w+.*\n(?:\t+DefaultMount.*\n\t+\}},\n)?', "", text, flags=re.M)
        assert not re.search(rf"\b{alias}\.", text), (name, alias)
    path.write_text(text)


for name, kept in KEPT.items():
    trim(name, set(kept.split()))

# The modules of its own tree, as they were published nearest to the release.
change("go.mod", r"^replace github.com/hashicorp/vault.*\n", "")
change("go.mod", r"(hashicorp/vault/sdk) v0\.9\.2$", r"\1 v0.10.2")
change("go.mod", r"(hashicorp/vault/api) v1\.9\.2$", r"\1 v1.10.0")
change("vault/eventbus/bus.go", r"(func \(bus \*pluginEventBus\) )Send\(", r"\1SendEvent(")
(ROOT / "vault/original_body.go").write_text(ORIGINAL_BODY)
for name in ("vault/logical_system_raft.go", "vault/request_handling.go"):
    change(name, r"logical\.((?:Create)?ContextOriginalBody)", r"\1")
change("http/util.go", r"logical\.((?:Create)?ContextOriginalBody)", r"vault.\1")
