// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What a job's token may do: `permissions`, as an object of scope and level.
 */

import { TemplateError } from "./expressions.mjs";
import { plain } from "./workflow.mjs";

const SCOPES = [
  ...["actions", "attestations", "checks", "contents", "deployments"],
  ...["discussions", "id-token", "issues", "models", "packages", "pages"],
  ...["pull-requests", "repository-projects", "security-events", "statuses"],
];

/** What a new repository's workflows get that do not ask. */
const DEFAULT = { contents: "read", packages: "read" };

const LEVELS = ["none", "read", "write"];

/** From the value of `permissions`; undefined stays so. */
function readPermissions(value) {
  if (value === undefined || value === null) return undefined;
  if (value === "read-all" || value === "write-all") {
    const level = value.replace("-all", "");
    return Object.fromEntries(SCOPES.map((scope) => [scope, level]));
  }
  if (typeof value !== "object")
    throw new TemplateError(`permissions: unknown value '${value}'`);
  return Object.fromEntries(
    Object.entries(value).filter(([, level]) => level !== "none"),
  );
}

/**
 * What a job's token may do: what the job says, else its workflow, else what
 * the job that calls the workflow has, else the default.
 */
export function jobPermissions(workflow, definition, inherited = DEFAULT) {
  return (
    readPermissions(plain(definition.permissions)) ??
    readPermissions(plain(workflow.permissions)) ??
    inherited
  );
}

/** Whether a token with these permissions may do this. */
export function allows(permissions, scope, level) {
  const has = permissions[scope] ?? "none";
  return LEVELS.indexOf(has) >= LEVELS.indexOf(level);
}

/** The scopes of `wanted` that `allowed` does not have, as 'scope: level'. */
export function excess(wanted, allowed) {
  return Object.entries(wanted)
    .filter(([scope, level]) => !allows(allowed, scope, level))
    .map(([scope, level]) => `${scope}: ${level}`);
}
