// SPDX-License-Identifier: LGPL-2.1-or-later
/** actions/attest: records the subjects with their digests. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { allows } from "../call.mjs";
import { Failure } from "../failure.mjs";
import { findFiles } from "../paths.mjs";

export const attest = {
  inputs: { "subject-path": "" },
  run({ job }, { "subject-path": pattern }) {
    if (job.run.scenario.sigstore === "down")
      throw new Failure("attest: Sigstore does not answer");
    for (const scope of ["id-token", "attestations"])
      if (!allows(job.permissions, scope, "write"))
        throw new Failure(`attest: the job needs '${scope}: write'`);
    const subjects = findFiles(job, pattern).map((file) => ({
      name: path.basename(file),
      digest: createHash("sha256").update(readFileSync(file)).digest("hex"),
    }));
    if (subjects.length === 0)
      throw new Failure(`Could not find subject at path ${pattern}`);
    job.run.attestations.push({ job: job.name, subjects });
  },
};
