// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Runs a workflow on this machine: run.mjs SCENARIO. The scenario is a JSON file,
 * described in rehearsal.mjs; its `out` gets result.json.
 */

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { Run } from "./rehearsal.mjs";

const scenario = JSON.parse(readFileSync(process.argv[2], "utf8"));
const say = (line) => process.stdout.write(`${line}\n`);
const result = await new Run(scenario, say).execute();
result.errors.forEach(say);
const file = path.join(scenario.out, "result.json");
writeFileSync(file, JSON.stringify(result, null, 2));
