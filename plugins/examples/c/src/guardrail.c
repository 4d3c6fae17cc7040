// no-users: refuses roles that may do what is forbidden, by default create IAM users.
//
// The contract is wit/guardrail.wit, bindings/plugin.h is the same for C. Texts are UTF-8 with a length, without a zero at
// their end. What is given back is freed by the bindings, so each text and list of it has memory of its own; what is only
// used here need not be freed: each call has an instance of its own. printf goes to the guardrail's log.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"
#include "settings.h"

typedef leasehold_guardrail_types_action_ref_t action_t;
typedef leasehold_guardrail_types_statement_t statement_t;
typedef leasehold_guardrail_types_finding_t finding_t;
typedef leasehold_guardrail_types_list_finding_t findings_t;
typedef leasehold_guardrail_types_rule_t rule_t;
typedef leasehold_guardrail_types_settings_issue_t issue_t;
typedef plugin_list_string_t strings_t;

// The one rule. Its id stays the same over versions: bindings and exceptions name it.
static const char FORBIDDEN_ACTION[] = "forbidden-action";

static const char SETTINGS_SCHEMA[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\","
    " \"title\": \"Settings of no-users\","
    " \"type\": \"object\","
    " \"additionalProperties\": false,"
    " \"properties\": {\"forbidden\": {"
    "   \"title\": \"Actions that no role may have, such as iam:CreateUser\","
    "   \"type\": \"array\", \"minItems\": 1, \"uniqueItems\": true,"
    "   \"items\": {\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$\", \"maxLength\": 256}}}}";

// `%.*s` takes a text as two arguments.
#define TEXT(text) (int)(text).len, (const char *)(text).ptr

static plugin_string_t text(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *made;
  int length = vasprintf(&made, format, arguments);
  va_end(arguments);
  if (length < 0) abort();
  return (plugin_string_t){(uint8_t *)made, (size_t)length};
}

static bool forbidden_actions(plugin_string_t *settings, strings_t *forbidden) {
  static plugin_string_t by_default;
  plugin_string_set(&by_default, "iam:CreateUser");
  *forbidden = (strings_t){&by_default, 1};
  return settings_strings(settings, "forbidden", forbidden);
}

void exports_leasehold_guardrail_guardrail_describe(leasehold_guardrail_types_manifest_t *manifest) {
  rule_t *rule = calloc(1, sizeof *rule);
  rule->id = text("%s", FORBIDDEN_ACTION);
  rule->title = text("May do what is forbidden");
  rule->severity = LEASEHOLD_GUARDRAIL_TYPES_SEVERITY_HIGH;
  *manifest = (leasehold_guardrail_types_manifest_t){
      .name = text("no-users"),
      .version = text("0.1.0"),
      .summary = text("refuses roles that may do what is forbidden"),
      .rules = {rule, 1},
  };
}

void exports_leasehold_guardrail_guardrail_settings_schema(plugin_string_t *schema) {
  *schema = text("%s", SETTINGS_SCHEMA);
}

// What the schema cannot say.
void exports_leasehold_guardrail_guardrail_check_settings(
    plugin_string_t *settings, exports_leasehold_guardrail_guardrail_list_settings_issue_t *issues) {
  strings_t forbidden;
  *issues = (exports_leasehold_guardrail_guardrail_list_settings_issue_t){NULL, 0};
  if (!forbidden_actions(settings, &forbidden)) {
    issues->ptr = malloc(sizeof(issue_t));
    issues->ptr[issues->len++] = (issue_t){.message = text("the settings cannot be read")};
    return;
  }
  for (size_t index = 0; index < forbidden.len; index++) {
    plugin_string_t action = forbidden.ptr[index];
    if (!memchr(action.ptr, '*', action.len) && !memchr(action.ptr, '?', action.len)) continue;
    issues->ptr = realloc(issues->ptr, (issues->len + 1) * sizeof(issue_t));
    issues->ptr[issues->len++] = (issue_t){
        .pointer = text("/forbidden/%zu", index),
        .message = text("`%.*s` is a pattern; name the actions", TEXT(action)),
    };
  }
}

// A finding at one place; what it is about is still to be said.
static finding_t *add(findings_t *findings, uint32_t document, plugin_string_t pointer) {
  findings->ptr = realloc(findings->ptr, (findings->len + 1) * sizeof(finding_t));
  finding_t *finding = &findings->ptr[findings->len++];
  *finding = (finding_t){
      .rule = text("%s", FORBIDDEN_ACTION),
      .severity = LEASEHOLD_GUARDRAIL_TYPES_SEVERITY_HIGH,
      .at = {malloc(sizeof(leasehold_guardrail_types_location_t)), 1},
      .remediation = {.is_some = true},
  };
  finding->at.ptr[0] = (leasehold_guardrail_types_location_t){document, pointer};
  return finding;
}

// An entry may be a pattern: `iam:Create*` may create users too.
static void by_action(findings_t *findings, uint32_t document, statement_t *statement, strings_t forbidden) {
  bool several = statement->actions.len > 1;
  for (size_t index = 0; index < statement->actions.len; index++) {
    plugin_string_t entry = statement->actions.ptr[index].text;
    for (size_t one = 0; one < forbidden.len; one++) {
      plugin_string_t action = forbidden.ptr[one];
      if (!leasehold_guardrail_catalogue_matches(&entry, &action)) continue;
      // A single entry is pointed to without an index: it need not stand in a list.
      plugin_string_t pointer = several ? text("%.*s/Action/%zu", TEXT(statement->pointer), index)
                                        : text("%.*s/Action", TEXT(statement->pointer));
      finding_t *finding = add(findings, document, pointer);
      finding->message =
          text("`%.*s` lets the role do `%.*s`, which is forbidden", TEXT(entry), TEXT(action));
      finding->remediation.val = text("remove `%.*s`, or name the actions that are needed", TEXT(entry));
      // Where the entry can go, offer that; what is left must still be a statement.
      if (several) {
        finding->patch.is_some = true;
        finding->patch.val.document = document;
        finding->patch.val.operations = text("[{\"op\":\"remove\",\"path\":\"%.*s\"}]", TEXT(pointer));
      }
    }
  }
}

static bool is_named(statement_t *statement, plugin_string_t action) {
  for (size_t index = 0; index < statement->not_actions.len; index++) {
    if (leasehold_guardrail_catalogue_matches(&statement->not_actions.ptr[index].text, &action)) return true;
  }
  return false;
}

// `NotAction` grants all that it does not name.
static void by_not_action(findings_t *findings, uint32_t document, statement_t *statement, strings_t forbidden) {
  if (statement->not_actions.len == 0) return;
  for (size_t one = 0; one < forbidden.len; one++) {
    plugin_string_t action = forbidden.ptr[one];
    if (is_named(statement, action)) continue;
    finding_t *finding = add(findings, document, text("%.*s/NotAction", TEXT(statement->pointer)));
    finding->message = text("`NotAction` lets the role do `%.*s`, which is forbidden", TEXT(action));
    finding->remediation.val = text("name the actions that are needed, by `Action`");
  }
}

static void judge(leasehold_guardrail_types_grant_t *grant, strings_t forbidden, findings_t *findings,
                  void (*by)(findings_t *, uint32_t, statement_t *, strings_t)) {
  for (size_t document = 0; document < grant->documents.len; document++) {
    leasehold_guardrail_types_list_statement_t statements = grant->documents.ptr[document].statements;
    for (size_t index = 0; index < statements.len; index++) {
      statement_t *statement = &statements.ptr[index];
      if (statement->effect != LEASEHOLD_GUARDRAIL_TYPES_EFFECT_ALLOW) continue;
      by(findings, (uint32_t)document, statement, forbidden);
    }
  }
}

// The one line that the caller is shown.
static plugin_string_t denial(findings_t findings) {
  plugin_string_t first = findings.ptr[0].message;
  if (findings.len == 1) return text("%.*s", TEXT(first));
  size_t more = findings.len - 1;
  return text("%.*s (and %zu more finding%s)", TEXT(first), more, more == 1 ? "" : "s");
}

bool exports_leasehold_guardrail_guardrail_evaluate(leasehold_guardrail_types_grant_t *grant,
                                                    plugin_string_t *settings,
                                                    leasehold_guardrail_types_report_t *report,
                                                    leasehold_guardrail_types_failure_t *failure) {
  strings_t forbidden;
  if (!forbidden_actions(settings, &forbidden)) {
    issue_t *issue = calloc(1, sizeof *issue);
    issue->message = text("the settings cannot be read");
    failure->tag = LEASEHOLD_GUARDRAIL_TYPES_FAILURE_SETTINGS;
    failure->val.settings.ptr = issue;
    failure->val.settings.len = 1;
    return false;
  }
  *report = (leasehold_guardrail_types_report_t){.verdict = {.tag = LEASEHOLD_GUARDRAIL_TYPES_VERDICT_PASS}};
  judge(grant, forbidden, &report->findings, by_action);
  judge(grant, forbidden, &report->findings, by_not_action);
  if (report->findings.len > 0) {
    report->verdict.tag = LEASEHOLD_GUARDRAIL_TYPES_VERDICT_DENY;
    report->verdict.val.deny = denial(report->findings);
  }
  return true;
}
