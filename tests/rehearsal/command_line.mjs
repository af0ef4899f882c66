// SPDX-License-Identifier: LGPL-2.1-or-later
/** The command line of run.mjs. */

import { mkdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { Run } from "./rehearsal.mjs";

const USAGE = `usage: run.mjs WORKFLOW --event FILE --out DIR [OPTION...]

Run a workflow of GitHub Actions on this machine, as a test of it.

  --event FILE     the scenario, JSON; see below
  --out DIR        a folder for the result; it should not exist
  --tree DIR       the repository that the workflow is of (default: .)
  --cache DIR      where caches live on for the next run (default: DIR/cache)
  --parallel N     so many jobs at once (default: 4)
  --help           print this

The scenario has
  event            schedule, workflow_dispatch, workflow_call, or another one
  inputs           of workflow_dispatch or workflow_call
  schedule         which cron line it is; default: the first
  payload          more of github.event
  github           properties of the github context: repository, ref, sha,
                   actor, api_url, server_url ...
  settings         environment: variables of the machine, PATH among them
                   vars, secrets: objects
                   token: one for all jobs, or {"write": T, "read": T}, by
                   their permission for contents; default: one each
                   repositories: {"owner/name": FOLDER}, for checkouts and
                   actions of other repositories
                   home: FOLDER, for all jobs; default: a fresh one each
                   workingTree: check out what is not committed too
                   minuteMs: how long a minute of timeout-minutes is
                   graceMs: [N, N], waits after SIGINT and SIGTERM

DIR gets result.json, summary.md, artifacts/, and in jobs/ a folder with logs
and workspace for each job. SIGINT and SIGTERM cancel the run as the button on
GitHub does. Exit status: 0 success, 1 anything else, 2 wrong usage.
`;

const OPTIONS = {
  event: { type: "string" },
  out: { type: "string" },
  tree: { type: "string", default: "." },
  cache: { type: "string" },
  parallel: { type: "string", default: "4" },
  help: { type: "boolean", default: false },
};

function usage(reason) {
  process.stderr.write(`run.mjs: ${reason}; see --help\n`);
  return 2;
}

/** Returns the exit status. */
export async function main(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return usage(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (positionals.length !== 1) return usage("one workflow is needed");
  if (!values.event || !values.out)
    return usage("--event and --out are needed");
  const parallel = Number(values.parallel);
  if (!(Number.isInteger(parallel) && parallel > 0))
    return usage(`--parallel: '${values.parallel}' is no positive number`);
  let scenario;
  try {
    scenario = JSON.parse(readFileSync(values.event, "utf8"));
  } catch (error) {
    return usage(`${values.event}: ${error.message}`);
  }
  mkdirSync(values.out, { recursive: true });
  const run = new Run(
    positionals[0],
    {
      ...values,
      parallel,
      say: (line) => process.stderr.write(`${line}\n`),
    },
    scenario,
  );
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => run.cancel());
  const { conclusion } = await run.execute();
  return conclusion === "success" || conclusion === "skipped" ? 0 : 1;
}
