"""no-users: refuses roles that may do what is forbidden, by default create IAM users.

The contract is wit/guardrail.wit, in Python's spelling: names in snake_case, an option is its value or None, the cases of
a variant are classes such as Verdict_Deny. A failure is raised as Err(Failure_…); any other exception ends the call as a
trap. What is done outside the functions is done once, when the component is built.
"""

import json
from typing import Iterator, List, Optional, Tuple

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import catalogue
from wit_world.imports.types import (
    Effect,
    Failure_Settings,
    Finding,
    Grant,
    Location,
    Manifest,
    Patch,
    Report,
    Rule,
    SettingsIssue,
    Severity,
    Statement,
    Verdict_Deny,
    Verdict_Pass,
)

# The one rule. Its id stays the same over versions: bindings and exceptions name it.
FORBIDDEN_ACTION = "forbidden-action"

SETTINGS_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Settings of no-users",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "forbidden": {
            "title": "Actions that no role may have, such as iam:CreateUser",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": "string", "pattern": "^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$", "maxLength": 256},
        }
    },
}


class Guardrail(exports.Guardrail):
    def describe(self) -> Manifest:
        return Manifest(
            name="no-users",
            version="0.1.0",
            summary="refuses roles that may do what is forbidden",
            authors=[],
            license=None,
            docs_url=None,
            source_url=None,
            rules=[Rule(FORBIDDEN_ACTION, "May do what is forbidden", Severity.HIGH, None, [])],
            triggers=[],
            extras=[],
        )

    def settings_schema(self) -> str:
        return json.dumps(SETTINGS_SCHEMA)

    def check_settings(self, settings: str) -> List[SettingsIssue]:
        """What the schema cannot say."""
        return [
            SettingsIssue(f"/forbidden/{index}", f"`{action}` is a pattern; name the actions")
            for index, action in enumerate(forbidden_actions(settings))
            if "*" in action or "?" in action
        ]

    def evaluate(self, input: Grant, settings: str) -> Report:
        forbidden = forbidden_actions(settings)
        findings = [*by_action(input, forbidden), *by_not_action(input, forbidden)]
        return Report(Verdict_Deny(denial(findings)) if findings else Verdict_Pass(), findings)


def forbidden_actions(settings: str) -> List[str]:
    try:
        return json.loads(settings or "{}").get("forbidden", ["iam:CreateUser"])
    except ValueError as error:
        raise Err(Failure_Settings([SettingsIssue("", str(error))]))


def allow_statements(grant: Grant) -> Iterator[Tuple[int, Statement]]:
    for index, document in enumerate(grant.documents):
        for statement in document.statements:
            if statement.effect == Effect.ALLOW:
                yield index, statement


def by_action(grant: Grant, forbidden: List[str]) -> Iterator[Finding]:
    """An entry may be a pattern: `iam:Create*` may create users too."""
    for document, statement in allow_statements(grant):
        several = len(statement.actions) > 1
        for index, entry in enumerate(statement.actions):
            # A single entry is pointed to without an index: it need not stand in a list.
            pointer = f"{statement.pointer}/Action" + (f"/{index}" if several else "")
            # Where the entry can go, offer that; what is left must still be a statement.
            operations = json.dumps([{"op": "remove", "path": pointer}], separators=(",", ":"))
            patch = Patch(document, operations) if several else None
            remediation = f"remove `{entry.text}`, or name the actions that are needed"
            for action in forbidden:
                if catalogue.matches(entry.text, action):
                    yield finding(entry.text, action, Location(document, pointer), remediation, patch)


def by_not_action(grant: Grant, forbidden: List[str]) -> Iterator[Finding]:
    """`NotAction` grants all that it does not name."""
    for document, statement in allow_statements(grant):
        named = [entry.text for entry in statement.not_actions]
        at = Location(document, f"{statement.pointer}/NotAction")
        for action in forbidden:
            if named and not any(catalogue.matches(entry, action) for entry in named):
                yield finding("NotAction", action, at, "name the actions that are needed, by `Action`", None)


def finding(entry: str, action: str, at: Location, remediation: str, patch: Optional[Patch]) -> Finding:
    return Finding(
        rule=FORBIDDEN_ACTION,
        severity=Severity.HIGH,
        message=f"`{entry}` lets the role do `{action}`, which is forbidden",
        at=[at],
        remediation=remediation,
        docs_url=None,
        patch=patch,
        extras=[],
    )


def denial(findings: List[Finding]) -> str:
    """The one line that the caller is shown."""
    first, more = findings[0].message, len(findings) - 1
    return f"{first} (and {more} more finding{'' if more == 1 else 's'})" if more else first
