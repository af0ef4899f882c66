// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What the house asks of workflows beyond GitHub: actions of others are pinned
 * by commit with the version in a comment, and what comes from an event or a
 * matrix reaches a script through its environment.
 */

import { Lexer, Parser } from "@actions/expressions";
import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Unary,
} from "@actions/expressions/ast";
import { TokenType } from "@actions/workflow-parser/templates/tokens/types";

const PINNED = /@[0-9a-f]{40}$/;
const COMMENT = /#\s*v\d[\w.-]*\s*$/;

/** Contexts that others have a say in: whole ones, and parts of `github`. */
const UNTRUSTED = ["inputs", "matrix"];
const UNTRUSTED_GITHUB = [
  "event",
  "head_ref",
  "ref",
  "ref_name",
  "base_ref",
  "actor",
];

/** All contexts that an expression reads, as name or name.property. */
function* accesses(tree) {
  if (tree instanceof IndexAccess) {
    const { expr, index } = tree;
    if (expr instanceof ContextAccess && index instanceof Literal)
      yield `${expr.name.lexeme}.${index.literal.coerceString()}`.toLowerCase();
    else yield* accesses(expr);
    yield* accesses(index);
  } else if (tree instanceof ContextAccess)
    yield tree.name.lexeme.toLowerCase();
  else if (tree instanceof Grouping) yield* accesses(tree.group);
  else if (tree instanceof Unary) yield* accesses(tree.expr);
  else if (tree instanceof Binary) {
    yield* accesses(tree.left);
    yield* accesses(tree.right);
  } else if (tree instanceof Logical || tree instanceof FunctionCall)
    for (const each of tree.args) yield* accesses(each);
}

function isUntrusted(access) {
  const [context, property] = access.split(".");
  if (context === "github")
    return property === undefined || UNTRUSTED_GITHUB.includes(property);
  return UNTRUSTED.includes(context);
}

function* badScripts(token) {
  if (token?.templateTokenType !== TokenType.BasicExpression) return;
  const names = token.definitionInfo.allowedContext.filter(
    (each) => !each.includes("("),
  );
  const functions = [{ name: "hashFiles", minArgs: 1, maxArgs: 255 }];
  const { tokens } = new Lexer(token.expression).lex();
  const tree = new Parser(tokens, names, functions).parse();
  for (const access of new Set(accesses(tree)))
    if (isUntrusted(access))
      yield `\${{ ${access} }} in a script; pass it through env`;
}

function* badReference(uses, line) {
  if (uses.startsWith("./")) return;
  if (!PINNED.test(uses)) yield `${uses} is not pinned by a commit`;
  else if (!COMMENT.test(line))
    yield `${uses} has no version in a comment, as in '# v4.2.2'`;
}

/** Violations in a workflow or an action, as lines. */
export function violations({ path, content, jobs, steps }) {
  const lines = content.split("\n");
  const result = [];
  const report = (token, messages) => {
    const line = token.range.start.line;
    for (const message of messages)
      result.push(`${path}: line ${line}: ${message}`);
  };
  const reference = (token, uses) => {
    if (!uses) return;
    const near = token.find("uses");
    report(near, badReference(uses, lines[near.range.start.line - 1]));
  };
  const check = (list) => {
    for (const step of list) {
      reference(step.token, step.uses);
      if (step.run) report(step.run, badScripts(step.run));
    }
  };
  for (const job of jobs?.values() ?? []) {
    reference(job.token, job.uses);
    check(job.steps);
  }
  check(steps ?? []);
  return result;
}
