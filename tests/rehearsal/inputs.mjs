// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Inputs of a workflow: what a person or a calling workflow gives, checked
 * against their definitions, with defaults filled in and types applied.
 */

import { TemplateError, evaluateText, evaluateToken } from "./expressions.mjs";

/** Of a workflow_dispatch. */
const MAX_INPUTS = 25;
const MAX_PAYLOAD = 65535;

/** Types, each from a text or plain value to a value; undefined is 'not one'. */
const TYPES = {
  string: (value) =>
    value !== null && typeof value !== "object" ? String(value) : undefined,
  environment: (value) => TYPES.string(value),
  choice: (value, { options }) => {
    const text = String(value);
    return options.includes(text) ? text : undefined;
  },
  boolean: (value) =>
    typeof value === "boolean"
      ? value
      : { true: true, false: false }[String(value)],
  number: (value) => {
    const text = String(value).trim();
    return text !== "" && Number.isFinite(Number(text))
      ? Number(text)
      : undefined;
  },
};

/** What an input is that was not given and has no default. */
const EMPTY = { boolean: false, number: 0 };

function convert(name, definition, value) {
  const converted = TYPES[definition.type](value, definition);
  if (converted !== undefined) return converted;
  const allowed = definition.options
    ? `one of ${definition.options.join(", ")}`
    : `a ${definition.type}`;
  throw new TemplateError(
    `input '${name}': ${JSON.stringify(value)} is not ${allowed}`,
  );
}

function apply(definitions, given, scope, strict) {
  for (const name of Object.keys(given))
    if (!(name in definitions))
      throw new TemplateError(
        `input '${name}' is not defined; there are: ` +
          (Object.keys(definitions).join(", ") || "none"),
      );
  const inputs = {};
  for (const [name, definition] of Object.entries(definitions)) {
    if (name in given) {
      const typed = typeof given[name] === definition.type;
      if (strict && !typed && definition.type !== "string")
        throw new TemplateError(
          `input '${name}': ${JSON.stringify(given[name])} is no ${definition.type}`,
        );
      inputs[name] = convert(name, definition, given[name]);
    } else if (definition.default) {
      const value = evaluateToken(definition.default, scope);
      inputs[name] =
        definition.type === "string"
          ? evaluateText(definition.default, scope)
          : convert(name, definition, value);
    } else if (definition.required) {
      throw new TemplateError(`input '${name}' is required and not given`);
    } else {
      inputs[name] = EMPTY[definition.type] ?? "";
    }
    if (definition.required && inputs[name] === "")
      throw new TemplateError(`input '${name}' is required and empty`);
  }
  return inputs;
}

/** For workflow_dispatch: everything given is text, as from a form. */
export function dispatchInputs(definitions, given, scope) {
  if (Object.keys(definitions).length > MAX_INPUTS)
    throw new TemplateError(`more than ${MAX_INPUTS} inputs`);
  if (JSON.stringify(given).length > MAX_PAYLOAD)
    throw new TemplateError(`inputs of more than ${MAX_PAYLOAD} characters`);
  return apply(definitions, given, scope, false);
}

/** For workflow_call: booleans and numbers must be such already. */
export function callInputs(definitions, given, scope) {
  return apply(definitions, given, scope, true);
}
