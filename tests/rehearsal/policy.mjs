// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What the house asks of workflows beyond GitHub: actions of others are pinned
 * by commit with the version in a comment, containers by digest where a job may
 * write; a script is one command without
 * expressions: what it decides belongs in a file that has tests, and what comes
 * from a context reaches it through its environment; and an artifact may be there from
 * an earlier attempt of the same run.
 */

import {
  isBasicExpression,
  isMapping,
} from "@actions/workflow-parser/templates/tokens/type-guards";

import { fields, items } from "./parser.mjs";

const PINNED = /@[0-9a-f]{40}$/;
const COMMENT = /#\s*v\d[\w.-]*\s*$/;

/** Whether a job, which has what its workflow has unless it says more, may write. */
function mayWrite(permissions) {
  return isMapping(permissions)
    ? Object.values(fields(permissions)).some((token) => `${token}` === "write")
    : `${permissions}` !== "read-all";
}

function* containerComplaints({ container, permissions }, defaults) {
  if (!container) return;
  const image = isMapping(container) ? fields(container).image : container;
  if (!/@sha256:[0-9a-f]{64}$/.test(`${image}`) && mayWrite(permissions ?? defaults))
    yield `the container ${image} is not pinned by a digest, and the job may write`;
}

function* complaints({ uses, run, with: inputs }, lines) {
  const text = uses?.toString() ?? "./";
  // `$/` is this repository, at the workflow's own commit.
  if (!/^[.$]\//.test(text)) {
    const line = lines[uses.range.start.line - 1];
    if (!PINNED.test(text)) yield `${text} is not pinned by a commit`;
    else if (!COMMENT.test(line))
      yield `${text} has no version in a comment, as in '# v4.2.2'`;
  }
  const replaces = isMapping(inputs) && `${fields(inputs).overwrite}` === "true";
  if (text.startsWith("actions/upload-artifact@") && !replaces)
    yield "an artifact without 'overwrite: true', which a job that is run again cannot upload";
  if (run && isBasicExpression(run))
    yield "an expression in a script; pass it through env";
  else if (run && run.toString().trim().includes("\n"))
    yield "a script of several lines; move it into a file, and test that";
}

/** Violations in a file that parser.mjs has read, as lines. */
export function violations({ name, content, root }) {
  const lines = content.split("\n");
  const { jobs, runs, permissions } = fields(root);
  const owners = [...Object.values(fields(jobs)), ...(runs ? [runs] : [])];
  const steps = owners.flatMap((owner) => items(fields(owner).steps));
  return [...owners, ...steps].flatMap((token) =>
    [
      ...complaints(fields(token), lines),
      ...containerComplaints(fields(token), permissions),
    ].map(
      (message) => `${name}: line ${token.range.start.line}: ${message}`,
    ),
  );
}
