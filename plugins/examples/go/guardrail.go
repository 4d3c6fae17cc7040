// Package guardrail is no-users: it refuses roles that may do what is forbidden, by default create IAM users.
//
// The contract is wit/guardrail.wit, bindings/ is the same for Go. The four exported functions are what it asks for; a
// panic ends the call as a trap. What is printed goes to the guardrail's log.
package guardrail

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	catalogue "no_users/bindings/leasehold_guardrail_catalogue"
	contract "no_users/bindings/leasehold_guardrail_types"
	wit "no_users/bindings/wit/types"
)

// The one rule. Its id stays the same over versions: bindings and exceptions name it.
const forbiddenAction = "forbidden-action"

//go:embed settings.schema.json
var settingsSchema string

// Describe says what the guardrail is and what it can find.
func Describe() contract.Manifest {
	return contract.Manifest{
		Name:    "no-users",
		Version: "0.1.0",
		Summary: "refuses roles that may do what is forbidden",
		Rules: []contract.Rule{
			{Id: forbiddenAction, Title: "May do what is forbidden", Severity: contract.Severity_High},
		},
	}
}

// SettingsSchema says what can be set.
func SettingsSchema() string {
	return settingsSchema
}

// CheckSettings says what the schema cannot say.
func CheckSettings(settings string) []contract.SettingsIssue {
	forbidden, err := forbiddenActions(settings)
	if err != nil {
		return []contract.SettingsIssue{{Message: err.Error()}}
	}
	var issues []contract.SettingsIssue
	for index, action := range forbidden {
		if strings.ContainsAny(action, "*?") {
			issues = append(issues, contract.SettingsIssue{
				Pointer: fmt.Sprintf("/forbidden/%d", index),
				Message: fmt.Sprintf("`%s` is a pattern; name the actions", action),
			})
		}
	}
	return issues
}

// Evaluate judges one grant.
func Evaluate(grant contract.Grant, settings string) wit.Result[contract.Report, contract.Failure] {
	forbidden, err := forbiddenActions(settings)
	if err != nil {
		issues := []contract.SettingsIssue{{Message: err.Error()}}
		return wit.Err[contract.Report](contract.MakeFailureSettings(issues))
	}
	findings := append(byAction(grant, forbidden), byNotAction(grant, forbidden)...)
	verdict := contract.MakeVerdictPass()
	if len(findings) > 0 {
		verdict = contract.MakeVerdictDeny(denial(findings))
	}
	return wit.Ok[contract.Report, contract.Failure](contract.Report{Verdict: verdict, Findings: findings})
}

func forbiddenActions(settings string) ([]string, error) {
	read := struct {
		Forbidden []string `json:"forbidden"`
	}{Forbidden: []string{"iam:CreateUser"}}
	if settings == "" {
		return read.Forbidden, nil
	}
	err := json.Unmarshal([]byte(settings), &read)
	return read.Forbidden, err
}

// A statement and the index of its document.
type place struct {
	document  uint32
	statement contract.Statement
}

func allowStatements(grant contract.Grant) []place {
	var places []place
	for index, document := range grant.Documents {
		for _, statement := range document.Statements {
			if statement.Effect == contract.Effect_Allow {
				places = append(places, place{uint32(index), statement})
			}
		}
	}
	return places
}

// An entry may be a pattern: `iam:Create*` may create users too.
func byAction(grant contract.Grant, forbidden []string) []contract.Finding {
	var findings []contract.Finding
	for _, at := range allowStatements(grant) {
		for index, entry := range at.statement.Actions {
			// A single entry is pointed to without an index: it need not stand in a list.
			pointer := at.statement.Pointer + "/Action"
			var patch wit.Option[contract.Patch]
			if len(at.statement.Actions) > 1 {
				pointer = fmt.Sprintf("%s/%d", pointer, index)
				// Where the entry can go, offer that; what is left must still be a statement.
				operations := fmt.Sprintf(`[{"op":"remove","path":"%s"}]`, pointer)
				patch = wit.Some(contract.Patch{Document: at.document, Operations: operations})
			}
			for _, action := range forbidden {
				if !catalogue.Matches(entry.Text, action) {
					continue
				}
				found := finding(entry.Text, action, at.document, pointer)
				found.Remediation = wit.Some(
					fmt.Sprintf("remove `%s`, or name the actions that are needed", entry.Text))
				found.Patch = patch
				findings = append(findings, found)
			}
		}
	}
	return findings
}

// `NotAction` grants all that it does not name.
func byNotAction(grant contract.Grant, forbidden []string) []contract.Finding {
	var findings []contract.Finding
	for _, at := range allowStatements(grant) {
		for _, action := range forbidden {
			if !leavesIn(at.statement.NotActions, action) {
				continue
			}
			found := finding("NotAction", action, at.document, at.statement.Pointer+"/NotAction")
			found.Remediation = wit.Some("name the actions that are needed, by `Action`")
			findings = append(findings, found)
		}
	}
	return findings
}

func leavesIn(leftOut []contract.ActionRef, action string) bool {
	for _, entry := range leftOut {
		if catalogue.Matches(entry.Text, action) {
			return false
		}
	}
	return len(leftOut) > 0
}

func finding(entry, action string, document uint32, pointer string) contract.Finding {
	return contract.Finding{
		Rule:     forbiddenAction,
		Severity: contract.Severity_High,
		Message:  fmt.Sprintf("`%s` lets the role do `%s`, which is forbidden", entry, action),
		At:       []contract.Location{{Document: document, Pointer: pointer}},
	}
}

// The one line that the caller is shown.
func denial(findings []contract.Finding) string {
	first, more := findings[0].Message, len(findings)-1
	switch more {
	case 0:
		return first
	case 1:
		return first + " (and 1 more finding)"
	}
	return fmt.Sprintf("%s (and %d more findings)", first, more)
}
