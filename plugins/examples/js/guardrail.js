// no-users: refuses roles that may do what is forbidden, by default create IAM users.
//
// The contract is wit/guardrail.wit, in JavaScript's spelling: names in camelCase, an option is its value or null, a
// variant is { tag, val }, an enum is a string, flags are an object of booleans. A `failure` is thrown as
// { tag, val }; anything else that is thrown ends the call as a trap.

import catalogue from "leasehold:guardrail/catalogue@1.0.0";

// The one rule. Its id stays the same over versions: bindings and exceptions name it.
const FORBIDDEN_ACTION = "forbidden-action";

const SETTINGS_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Settings of no-users",
  type: "object",
  additionalProperties: false,
  properties: {
    forbidden: {
      title: "Actions that no role may have, such as iam:CreateUser",
      type: "array",
      minItems: 1,
      uniqueItems: true,
      items: { type: "string", pattern: "^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$", maxLength: 256 },
    },
  },
};

export const guardrail = {
  describe() {
    return {
      name: "no-users",
      version: "0.1.0",
      summary: "refuses roles that may do what is forbidden",
      authors: [],
      license: null,
      docsUrl: null,
      sourceUrl: null,
      rules: [
        { id: FORBIDDEN_ACTION, title: "May do what is forbidden", severity: "high", docsUrl: null, tags: [] },
      ],
      triggers: [],
      extras: [],
    };
  },

  settingsSchema() {
    return JSON.stringify(SETTINGS_SCHEMA);
  },

  // What the schema cannot say.
  checkSettings(settings) {
    return forbiddenActions(settings).flatMap((action, index) =>
      /[*?]/.test(action)
        ? [{ pointer: `/forbidden/${index}`, message: `\`${action}\` is a pattern; name the actions` }]
        : [],
    );
  },

  evaluate(grant, settings) {
    const forbidden = forbiddenActions(settings);
    const findings = [...byAction(grant, forbidden), ...byNotAction(grant, forbidden)];
    if (findings.length === 0) return { verdict: { tag: "pass" }, findings };
    return { verdict: { tag: "deny", val: denial(findings) }, findings };
  },
};

function forbiddenActions(settings) {
  try {
    return JSON.parse(settings || "{}").forbidden ?? ["iam:CreateUser"];
  } catch (error) {
    throw { tag: "settings", val: [{ pointer: "", message: error.message }] };
  }
}

// An entry may be a pattern: `iam:Create*` may create users too.
function byAction(grant, forbidden) {
  return allowStatements(grant).flatMap(({ document, statement }) =>
    statement.actions.flatMap((entry, index) => {
      // A single entry is pointed to without an index: it need not stand in a list.
      const several = statement.actions.length > 1;
      const pointer = `${statement.pointer}/Action${several ? `/${index}` : ""}`;
      // Where the entry can go, offer that; what is left must still be a statement.
      const patch = several ? { document, operations: JSON.stringify([{ op: "remove", path: pointer }]) } : null;
      const remediation = `remove \`${entry.text}\`, or name the actions that are needed`;
      return forbidden
        .filter((action) => catalogue.matches(entry.text, action))
        .map((action) => finding(entry.text, action, { document, pointer }, remediation, patch));
    }),
  );
}

// `NotAction` grants all that it does not name.
function byNotAction(grant, forbidden) {
  return allowStatements(grant)
    .filter(({ statement }) => statement.notActions.length > 0)
    .flatMap(({ document, statement }) => {
      const named = (action) => statement.notActions.some((entry) => catalogue.matches(entry.text, action));
      const at = { document, pointer: `${statement.pointer}/NotAction` };
      const remediation = "name the actions that are needed, by `Action`";
      return forbidden
        .filter((action) => !named(action))
        .map((action) => finding("NotAction", action, at, remediation, null));
    });
}

function allowStatements(grant) {
  return grant.documents.flatMap(({ statements }, document) =>
    statements.filter(({ effect }) => effect === "allow").map((statement) => ({ document, statement })),
  );
}

function finding(entry, action, at, remediation, patch) {
  return {
    rule: FORBIDDEN_ACTION,
    severity: "high",
    message: `\`${entry}\` lets the role do \`${action}\`, which is forbidden`,
    at: [at],
    remediation,
    docsUrl: null,
    patch,
    extras: [],
  };
}

// The one line that the caller is shown.
function denial(findings) {
  const more = findings.length - 1;
  const [{ message }] = findings;
  return more === 0 ? message : `${message} (and ${more} more finding${more === 1 ? "" : "s"})`;
}
