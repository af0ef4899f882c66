// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Expressions and templates: GitHub's own evaluator behind plain values.
 *
 * A scope is what an expression can see: `contexts`, an object of plain values
 * (or of the evaluator's data), and `functions`, a list beyond the built-in
 * ones, each with name, minArgs, maxArgs and call(...data) → data.
 *
 * A token is a node of a workflow file as GitHub's parser gives it; a string
 * with `${{ }}` inside is one expression there, a call of format().
 */

import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import {
  isBasicExpression,
  isLiteral,
  isMapping,
  isSequence,
} from "@actions/workflow-parser/templates/tokens/type-guards";
import { TokenType } from "@actions/workflow-parser/templates/tokens/types";

/** An error in a workflow file, or in what it evaluates to. */
export class TemplateError extends Error {
  constructor(message, token) {
    const start = token?.range?.start;
    super(
      start
        ? `Line ${start.line}, column ${start.column}: ${message}`
        : message,
    );
  }
}

/** Names of environment variables are case sensitive on Linux. */
class CaseSensitiveDictionary extends data.Dictionary {
  add(key, value) {
    if (this.keys.includes(key)) return;
    this.keys.push(key);
    this.v.push(value);
  }

  get(key) {
    return this.v[this.keys.indexOf(key)];
  }

  pairs() {
    return this.keys.map((key, i) => ({ key, value: this.v[i] }));
  }
}

function isData(value) {
  return typeof value?.coerceString === "function";
}

/** The evaluator's data for a plain value. */
export function toData(value) {
  if (isData(value)) return value;
  switch (typeof value) {
    case "string":
      return new data.StringData(value);
    case "number":
      return new data.NumberData(value);
    case "boolean":
      return new data.BooleanData(value);
    case "undefined":
      return new data.Null();
  }
  if (value === null) return new data.Null();
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const result = new data.Dictionary();
  for (const [key, item] of entries) result.add(key, toData(item));
  return result;
}

/** The environment as data. */
export function toEnvironmentData(variables) {
  const result = new CaseSensitiveDictionary();
  for (const [key, value] of Object.entries(variables))
    result.add(key, toData(value));
  return result;
}

/** The plain value of data. */
function toValue(item) {
  switch (item.kind) {
    case data.Kind.Null:
      return null;
    case data.Kind.Array:
      return item.values().map(toValue);
    case data.Kind.Dictionary:
      return Object.fromEntries(
        item.pairs().map(({ key, value }) => [key, toValue(value)]),
      );
  }
  return item.value;
}

/** Whether data counts as true, as in an `if`. */
function isTruthy(item) {
  switch (item.kind) {
    case data.Kind.Null:
      return false;
    case data.Kind.Boolean:
      return item.value;
    case data.Kind.Number:
      return item.value !== 0 && !Number.isNaN(item.value);
    case data.Kind.String:
      return item.value !== "";
  }
  return true;
}

/** Evaluate the inside of a `${{ }}`; returns data. */
function evaluateExpression(text, scope) {
  const names = Object.keys(scope.contexts);
  const { tokens } = new Lexer(text).lex();
  const tree = new Parser(tokens, names, scope.functions).parse();
  const contexts = new data.Dictionary();
  for (const [name, value] of Object.entries(scope.contexts))
    contexts.add(name, toData(value));
  const functions = new Map(
    scope.functions.map((each) => [each.name.toLowerCase(), each]),
  );
  return new Evaluator(tree, contexts, functions).evaluate();
}

function evaluateTokenData(token, scope) {
  if (isBasicExpression(token)) {
    try {
      return evaluateExpression(token.expression, scope);
    } catch (error) {
      throw new TemplateError(error.message, token);
    }
  }
  if (isSequence(token)) {
    const result = new data.Array();
    for (const item of token) result.add(evaluateTokenData(item, scope));
    return result;
  }
  if (isMapping(token)) return evaluateMapping(token, scope);
  return toData(literalValue(token));
}

function literalValue(token) {
  return token.templateTokenType === TokenType.Null ? null : token.value;
}

function evaluateMapping(token, scope) {
  const result = new data.Dictionary();
  for (const { key, value } of token) {
    if (key.templateTokenType === TokenType.InsertExpression) {
      const inserted = evaluateTokenData(value, scope);
      if (inserted.kind !== data.Kind.Dictionary)
        throw new TemplateError("what is inserted is no mapping", value);
      for (const pair of inserted.pairs()) result.add(pair.key, pair.value);
    } else {
      const name = evaluateTokenData(key, scope).coerceString();
      result.add(name, evaluateTokenData(value, scope));
    }
  }
  return result;
}

/** The plain value of a token, with all expressions in it evaluated. */
export function evaluateToken(token, scope) {
  return toValue(evaluateTokenData(token, scope));
}

/** The same as text, as it reaches an environment variable or an input. */
export function evaluateText(token, scope) {
  if (isLiteral(token)) return token.toString();
  return evaluateTokenData(token, scope).coerceString();
}

/** An object of texts from a mapping such as `env` or `with`. */
export function evaluateTexts(token, scope) {
  const result = {};
  if (!token) return result;
  if (!isMapping(token)) {
    const evaluated = evaluateTokenData(token, scope);
    if (evaluated.kind !== data.Kind.Dictionary)
      throw new TemplateError("a mapping was expected", token);
    for (const { key, value } of evaluated.pairs())
      result[key] = value.coerceString();
    return result;
  }
  for (const { key, value } of token) {
    if (key.templateTokenType === TokenType.InsertExpression) {
      Object.assign(result, evaluateTexts(value, scope));
      continue;
    }
    result[evaluateText(key, scope)] = evaluateText(value, scope);
  }
  return result;
}

/** A token that has to be of a type, or the default where there is none. */
export function evaluateTyped(token, scope, type, otherwise) {
  if (!token) return otherwise;
  const value = evaluateToken(token, scope);
  if (typeof value !== type)
    throw new TemplateError(`${JSON.stringify(value)} is no ${type}`, token);
  return value;
}

/** Whether an `if`, which the parser made an expression, holds. */
export function evaluateCondition(token, scope) {
  try {
    return isTruthy(evaluateExpression(token.expression, scope));
  } catch (error) {
    throw new TemplateError(error.message, token);
  }
}

/** A function without a fixed number of arguments, which are texts. */
export function textFunction(name, minArgs, maxArgs, call) {
  return {
    name,
    minArgs,
    maxArgs,
    call: (...items) =>
      toData(call(...items.map((item) => item.coerceString()))),
  };
}
