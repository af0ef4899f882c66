// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";

import { flattenScalars } from "../scalars.mjs";
import { messages, refusal, rehearse, steps } from "./support.mjs";

const FILE = `# Comment
a: >-
  one \${{ x }}
  two "three"

  four
b: |  # comment
  \${{ x
  }}

    indented \\n \${{ y }}

c: "quoted \${{ x }}
  two"
d: ["one \${{ x }}
  two", three, 'four
  \${{ y }}', five]
e: |
  no expression
  here
f: \${{ one line }}
g: |
  last \${{ x }}`;

test("scalars keep their values, and lines their numbers", () => {
  const flat = flattenScalars(FILE);
  assert.deepEqual(parse(flat), parse(FILE));
  const lineOf = (text, word) =>
    text.split("\n").findIndex((line) => line.startsWith(word));
  for (const word of ["b:", "c:", "d:", "e:", "f:", "g:"])
    assert.equal(lineOf(flat, word), lineOf(FILE, word), word);
});

test("a file without such scalars is the same", () => {
  const text = "a: 1\nb: |\n  x\n";
  assert.equal(flattenScalars(text), text);
});

test("a script and a folded value with expressions are as YAML has them", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- id: s
  env:
    FOLDED: >-
      one \${{ github.actor
      }} two
      three
  run: |
    cat <<END >text
    \${{ github.sha }}
    END
    echo "folded=$FOLDED" >>"$GITHUB_OUTPUT"
    echo "text=$(cat text)" >>"$GITHUB_OUTPUT"
`),
    { github: { sha: "a".repeat(40) } },
  );
  const [step] = result.jobs[0].steps;
  assert.deepEqual(messages(step), []);
  assert.deepEqual(step.outputs, {
    folded: "one octocat two three",
    text: "a".repeat(40),
  });
});

test("what is wrong after such a scalar is said with its line", async (t) => {
  const text = steps(`
- run: |
    echo \${{ github.sha }}
    echo two
- wrong: 1
`);
  assert.match(
    await refusal(t, text),
    /\(Line: 11, Col: 9\): Unexpected value 'wrong'/,
  );
});
