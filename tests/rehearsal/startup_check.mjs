// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What is wrong with a workflow, and all it calls, before any of it runs: what
 * GitHub refuses beyond a single file, what cannot be rehearsed, and what the
 * house does not want.
 */

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

import { actionFile, readAction } from "./action_file.mjs";
import { KNOWN_ACTIONS, isKnownAction } from "./actions.mjs";
import { excess, jobPermissions } from "./permissions.mjs";
import { violations } from "./policy.mjs";

/** Reusable workflows inside reusable workflows. */
const MAX_DEPTH = 10;

/** Actions of others that nothing here stands for. */
function unknownActions({ path: name, jobs, steps }, repositories) {
  const ofJobs = [...(jobs?.values() ?? [])].flatMap((job) => job.steps);
  return [...ofJobs, ...(steps ?? [])]
    .filter(({ uses }) => uses && !uses.startsWith("./"))
    .filter(({ uses }) => !isKnownAction(uses) && !repositories.locate(uses))
    .map(
      ({ uses, line }) =>
        `${name}: line ${line}: ${uses}: there is no local equivalent; ` +
        `there are: ${KNOWN_ACTIONS.join(", ")}`,
    );
}

async function checkWorkflow(workflow, repositories, permissions, depth) {
  if (depth > MAX_DEPTH) return [`${workflow.path}: called too deep`];
  const errors = [
    ...violations(workflow),
    ...unknownActions(workflow, repositories),
  ];
  for (const job of workflow.jobs.values()) {
    const wanted = jobPermissions(workflow, job, permissions);
    for (const each of permissions ? excess(wanted, permissions) : [])
      errors.push(
        `${workflow.path}: job '${job.id}' asks for '${each}', which its caller does not have`,
      );
    if (job.uses) {
      const called = await repositories.workflow(job.uses);
      errors.push(
        ...(await checkWorkflow(called, repositories, wanted, depth + 1)),
      );
    }
  }
  return errors;
}

function checkActions(repositories) {
  const { tree } = repositories.own;
  const folder = path.join(tree, ".github", "actions");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const file = actionFile(path.join(folder, name));
    if (!file) return [];
    const action = readAction(file, path.relative(tree, file));
    return [...violations(action), ...unknownActions(action, repositories)];
  });
}

/** Errors as lines. Throws InvalidFile for a file that cannot be read. */
export async function startupErrors(workflow, repositories) {
  const errors = [
    ...(await checkWorkflow(workflow, repositories, undefined, 0)),
    ...checkActions(repositories),
  ];
  // A workflow that two jobs call is checked twice.
  return [...new Set(errors)];
}
