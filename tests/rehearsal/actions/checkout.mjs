// SPDX-License-Identifier: LGPL-2.1-or-later
/** actions/checkout. */

import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

import { git } from "../git.mjs";
import { StepFailure } from "../step_failure.mjs";
import { placeTree } from "../tree.mjs";

/** Let git use a token, as the action does unless told otherwise. */
function storeCredentials(job, target, token) {
  const login = Buffer.from(`x-access-token:${token}`).toString("base64");
  job.masks.add(login);
  const key = `http.${job.run.github.server_url}/.extraheader`;
  git(target, "config", key, `AUTHORIZATION: basic ${login}`);
}

async function run(step, inputs) {
  const { job } = step;
  const source = job.run.repositories.folder(inputs.repository);
  if (!source)
    throw new StepFailure(
      `checkout: no folder is known for ${inputs.repository}`,
    );
  const target = path.resolve(job.folders.workspace, inputs.path);
  if (!`${target}/`.startsWith(`${job.folders.workspace}/`))
    throw new StepFailure(
      `checkout: ${inputs.path} is outside of the workspace`,
    );
  if (inputs.clean !== "false" && existsSync(target))
    for (const name of readdirSync(target))
      rmSync(path.join(target, name), { recursive: true, force: true });
  const own = source === job.run.tree;
  const ref = inputs.ref || (own ? job.run.commit : "HEAD");
  const sha = placeTree(source, target, ref, {
    shallow: inputs["fetch-depth"] !== "0",
    workingTree: job.run.settings.workingTree,
  });
  if (!sha) return;
  if (inputs["persist-credentials"] !== "false")
    storeCredentials(job, target, inputs.token);
  step.outputs.commit = sha;
  step.outputs.ref = inputs.ref;
}

export const checkout = {
  inputs: {
    repository: "",
    ref: "",
    token: "",
    path: "",
    clean: "true",
    "persist-credentials": "true",
    "fetch-depth": "1",
    "fetch-tags": "false",
    filter: "",
    submodules: "false",
    lfs: "false",
    "set-safe-directory": "true",
    "show-progress": "true",
    "sparse-checkout": "",
    "sparse-checkout-cone-mode": "true",
    "ssh-key": "",
    "ssh-known-hosts": "",
    "ssh-strict": "true",
    "ssh-user": "git",
    "github-server-url": "",
  },
  unsupported: [
    ...["filter", "github-server-url", "lfs", "sparse-checkout", "ssh-key"],
    "submodules",
  ],
  run: (step, inputs) =>
    run(step, {
      ...inputs,
      repository: inputs.repository || step.job.run.github.repository,
      token: inputs.token || step.job.token,
    }),
};
