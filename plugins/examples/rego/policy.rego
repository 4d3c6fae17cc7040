# `no-users`: refuses roles that may do what is forbidden, by default create IAM users.
package guardrail

default forbidden := ["iam:CreateUser"]

forbidden := input.settings.forbidden

# Each entry is a finding that refuses. A set does as well (`deny contains entry if …`); a list keeps its order.
deny := array.concat(named, left_in)

# An entry may be a pattern: `iam:Create*` may create users too.
named := [object.union(entry, removal(statement, listed)) |
	some document in input.documents
	some statement in document.statements
	statement.effect == "Allow"
	some listed in statement.actions
	some action in forbidden
	iam.matches_action(listed.text, action)
	entry := {
		"rule": "forbidden-action",
		"message": sprintf("`%s` lets the role do `%s`, which is forbidden", [listed.text, action]),
		"at": listed.at,
		"remediation": sprintf("remove `%s`, or name the actions that are needed", [listed.text]),
	}
]

# `NotAction` grants all that it does not name.
left_in := [entry |
	some document in input.documents
	some statement in document.statements
	statement.effect == "Allow"
	count(statement.not_actions) > 0
	some action in forbidden
	every listed in statement.not_actions {
		not iam.matches_action(listed.text, action)
	}
	entry := {
		"rule": "forbidden-action",
		"message": sprintf("`NotAction` lets the role do `%s`, which is forbidden", [action]),
		"at": object.union(statement.at, {"pointer": sprintf("%s/NotAction", [statement.at.pointer])}),
		"remediation": "name the actions that are needed, by `Action`",
	}
]

# Where the entry can go, offer that; what is left must still be a statement.
removal(statement, listed) := {"patch": {
	"document": listed.at.document,
	"operations": [{"op": "remove", "path": listed.at.pointer}],
}} if {
	count(statement.actions) > 1
} else := {}

# What the schema cannot say of the settings.
settings_issues contains {"pointer": pointer, "message": message} if {
	some index, action in input.settings.forbidden
	regex.match(`[*?]`, action)
	pointer := sprintf("/forbidden/%d", [index])
	message := sprintf("`%s` is a pattern; name the actions", [action])
}
