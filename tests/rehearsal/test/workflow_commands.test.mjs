// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { CommandStream, Masks, parseCommand } from "../workflow_commands.mjs";
import { parseAssignments } from "../file_commands.mjs";

function stream() {
  const effects = { outputs: {}, failures: [] };
  const masks = new Masks();
  const commands = new CommandStream(masks, {
    setOutput: (name, value) => (effects.outputs[name] = value),
    fail: (reason) => effects.failures.push(reason),
  });
  return { commands, masks, effects };
}

test("a command has properties and data, each with its own escapes", () => {
  assert.deepEqual(
    parseCommand(
      "::error file=a%2Cb%3A.c,line=3,title=T%0Au::100%25%0Ax%2C%3A",
    ),
    {
      name: "error",
      properties: { file: "a,b:.c", line: "3", title: "T\nu" },
      data: "100%\nx%2C%3A",
    },
  );
  assert.deepEqual(parseCommand("  ::group::a::b"), {
    name: "group",
    properties: {},
    data: "a::b",
  });
  assert.equal(parseCommand("std::string"), undefined);
  assert.equal(parseCommand(":: error::x"), undefined);
});

test("ten annotations of a kind are shown, and all are counted", () => {
  const { commands } = stream();
  for (let i = 0; i < 12; i++) commands.line(`::warning::w${i}`);
  commands.line("::error title=T,file=f.c,line=7::e");
  const warnings = commands.annotations.filter((a) => a.level === "warning");
  assert.equal(warnings.length, 12);
  assert.equal(warnings.filter((a) => a.shown).length, 10);
  assert.deepEqual(commands.annotations.at(-1), {
    level: "error",
    message: "e",
    title: "T",
    file: "f.c",
    line: 7,
    shown: true,
  });
});

test("a mask hides a value from then on, line by line and the longest first", () => {
  const { commands } = stream();
  assert.equal(commands.line("before: s3cret"), "before: s3cret");
  assert.equal(commands.line("::add-mask::s3cret"), undefined);
  assert.equal(commands.line("::add-mask::s3cret-long%0Aline two"), undefined);
  assert.equal(
    commands.line("s3cret-long, s3cret and line two"),
    "***, *** and ***",
  );
  commands.line("::error::it is s3cret");
  assert.equal(commands.annotations[0].message, "it is ***");
});

test("nothing is a command while commands are stopped", () => {
  const { commands } = stream();
  commands.line("::stop-commands::Token1");
  assert.equal(commands.line("::error::no"), "::error::no");
  commands.line("::Token1::");
  commands.line("::error::yes");
  assert.deepEqual(
    commands.annotations.map((a) => a.message),
    ["yes"],
  );
});

test("groups are counted, unknown commands are text, old ones are refused", () => {
  const { commands, effects } = stream();
  assert.equal(commands.line("::group::Build"), "##[group]Build");
  assert.equal(commands.line("::endgroup::"), "##[endgroup]");
  assert.equal(commands.groups, 1);
  assert.equal(commands.line("::nothing::x"), "::nothing::x");
  commands.line("::set-env name=A::b");
  assert.match(effects.failures[0], /`set-env` command is disabled/);
  commands.line("::set-output name=a::b");
  assert.deepEqual(effects.outputs, { a: "b" });
  assert.match(commands.annotations[0].message, /deprecated/);
});

test("assignments are lines or blocks", () => {
  assert.deepEqual(
    parseAssignments("a=1\n\nb<<EOF\none\ntwo=2\n\nEOF\nc=x<<y\nd=\ne<<E\nE\n"),
    { a: "1", b: "one\ntwo=2\n", c: "x<<y", d: "", e: "" },
  );
});

const MALFORMED = [
  ["text", /Invalid format 'text'/],
  ["=x", /Name must not be empty/],
  ["a<<\nx", /delimiter must not be empty/],
  ["a<<EOF\nx\n EOF", /Matching delimiter not found 'EOF'/],
];

for (const [text, message] of MALFORMED)
  test(`${JSON.stringify(text)} is no assignment`, () => {
    assert.throws(() => parseAssignments(text), message);
  });
