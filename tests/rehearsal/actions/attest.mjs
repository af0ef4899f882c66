// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * actions/attest-build-provenance: records the subjects with their digests, if
 * the job's token could have signed for them.
 */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { find, readPatterns } from "../globs.mjs";
import { allows } from "../permissions.mjs";
import { StepFailure } from "../step_failure.mjs";

const MAX_SUBJECTS = 1024;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

function fromPaths(job, text) {
  const patterns = text.replaceAll(",", "\n");
  return find(
    readPatterns(patterns, job.folders.workspace, job.folders.home),
  ).map((file) => ({
    name: path.basename(file),
    digest: `sha256:${createHash("sha256").update(readFileSync(file)).digest("hex")}`,
  }));
}

function fromChecksums(job, text) {
  const file = path.resolve(job.folders.workspace, text);
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line)
    .map((line) => {
      const [, hex, name] = /^([0-9a-f]{64})\s+\*?(.+)$/.exec(line) ?? [];
      if (!hex) throw new StepFailure(`attest: no checksum: ${line}`);
      return { name, digest: `sha256:${hex}` };
    });
}

function subjects(job, inputs) {
  const given = ["subject-path", "subject-digest", "subject-checksums"].filter(
    (name) => inputs[name],
  );
  if (given.length !== 1)
    throw new StepFailure(
      "One of subject-path, subject-digest, or subject-checksums must be provided",
    );
  if (inputs["subject-path"]) return fromPaths(job, inputs["subject-path"]);
  if (inputs["subject-checksums"])
    return fromChecksums(job, inputs["subject-checksums"]);
  if (!inputs["subject-name"] || !DIGEST.test(inputs["subject-digest"]))
    throw new StepFailure(
      "attest: subject-name and a sha256 subject-digest are needed",
    );
  return [{ name: inputs["subject-name"], digest: inputs["subject-digest"] }];
}

async function run(step, inputs) {
  const { job } = step;
  for (const [scope, level] of [
    ["id-token", "write"],
    ["attestations", "write"],
  ])
    if (!allows(job.permissions, scope, level))
      throw new StepFailure(
        `Failed to get ID token or to store the attestation: the job needs '${scope}: ${level}'`,
      );
  const found = subjects(job, inputs);
  if (found.length === 0)
    throw new StepFailure(
      `Could not find subject at path ${inputs["subject-path"]}`,
    );
  if (found.length > MAX_SUBJECTS)
    throw new StepFailure(
      `Too many subjects: ${found.length} > ${MAX_SUBJECTS}`,
    );
  const id = job.run.result.addAttestation({ job: job.name, subjects: found });
  const { server_url, repository } = job.run.github;
  const bundle = path.join(job.folders.temp, `attestation-${id}.json`);
  writeFileSync(bundle, JSON.stringify({ subject: found }));
  step.outputs["bundle-path"] = bundle;
  step.outputs["attestation-id"] = String(id);
  step.outputs["attestation-url"] =
    `${server_url}/${repository}/attestations/${id}`;
  if (inputs["show-summary"] === "true")
    step.addSummary(
      `### Attestation Created\n\n${step.outputs["attestation-url"]}\n`,
    );
}

export const attest = {
  inputs: {
    "subject-path": "",
    "subject-digest": "",
    "subject-name": "",
    "subject-checksums": "",
    "push-to-registry": "false",
    "create-storage-record": "true",
    "show-summary": "true",
    "github-token": "",
  },
  unsupported: ["push-to-registry"],
  run,
};
