// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Expressions: GitHub's own evaluator behind plain values.
 *
 * A scope is what an expression sees: `contexts`, an object of plain values or
 * of Known ones, and `status`, the answers of the status functions by name.
 * A token is a node of a file as GitHub's parser gives it; a string with
 * `${{ }}` inside is one expression there, a call of format().
 */

import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { truthy } from "@actions/expressions/result";
import {
  isBasicExpression,
  isMapping,
  isSequence,
} from "@actions/workflow-parser/templates/tokens/type-guards";
import { TokenType } from "@actions/workflow-parser/templates/tokens/types";

import { Failure } from "./failure.mjs";

/** Contexts that are here; the others of GitHub's are refused. */
const CONTEXTS =
  "github inputs job jobs matrix needs runner secrets steps vars".split(" ");

/** Functions beyond GitHub's built-in ones. */
const STATUS = ["always", "cancelled", "failure", "success"];

/** A context of GitHub's of which only some properties are here. */
export class Known extends data.Dictionary {
  constructor(name, properties) {
    super();
    this.name = name;
    for (const [key, value] of Object.entries(properties))
      this.add(key, toData(value));
  }

  get(key) {
    const value = super.get(key);
    if (value === undefined)
      throw new Error(`${this.name}.${key} is not known to rehearsals`);
    return value;
  }
}

function toData(value) {
  if (value instanceof Known) return value;
  return JSON.parse(JSON.stringify(value ?? null), data.reviver);
}

function parse(text, names) {
  const functions = STATUS.map((name) => ({ name, minArgs: 0, maxArgs: 0 }));
  return new Parser(new Lexer(text).lex().tokens, names, functions).parse();
}

/** Refuse an expression that uses what is not here. */
export function checkExpression(text, token) {
  try {
    parse(text, CONTEXTS);
  } catch (error) {
    throw new Failure(error.message, token);
  }
}

function evaluateExpression(token, { contexts, status = {} }) {
  const all = new data.Dictionary();
  for (const [name, value] of Object.entries(contexts))
    all.add(name, toData(value));
  const functions = Object.entries(status).map(([name, answer]) => [
    name,
    { name, call: () => new data.BooleanData(answer) },
  ]);
  try {
    const tree = parse(token.expression, Object.keys(contexts));
    return new Evaluator(tree, all, new Map(functions)).evaluate();
  } catch (error) {
    throw new Failure(error.message, token);
  }
}

/** The plain value of a token with the expressions in it evaluated. */
export function evaluate(token, scope) {
  if (isBasicExpression(token)) {
    const value = evaluateExpression(token, scope);
    return JSON.parse(JSON.stringify(value, data.replacer));
  }
  if (isSequence(token)) return [...token].map((each) => evaluate(each, scope));
  if (isMapping(token))
    return mapValues(token, (value) => evaluate(value, scope));
  return token.templateTokenType === TokenType.Null ? null : token.value;
}

function mapValues(token, convert) {
  const pairs = [...token].map(({ key, value }) => [`${key}`, convert(value)]);
  return Object.fromEntries(pairs);
}

/** The value as text, as it reaches an environment variable or an input. */
export function evaluateText(token, scope) {
  if (isBasicExpression(token))
    return evaluateExpression(token, scope).coerceString();
  return token.toString();
}

/** An object of texts from a mapping such as `env` or `with`. */
export function evaluateTexts(token, scope) {
  if (!token) return {};
  if (!isMapping(token)) throw new Failure("rehearsals know a mapping", token);
  return mapValues(token, (value) => evaluateText(value, scope));
}

/** Whether an `if`, which workflow.mjs made an expression, holds. */
export function evaluateCondition(token, scope) {
  return truthy(evaluateExpression(token, scope));
}
