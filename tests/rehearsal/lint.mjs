#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Lints workflows and actions: lint.mjs FILE...
 *
 * GitHub's parser, then actionlint for workflows, then the house's rules. One
 * line a complaint; exit status 1 if there is any, 2 without a file.
 */

import "./packages.mjs";

const { lintFile } = await import("./lint_file.mjs");

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write("usage: lint.mjs FILE...\n");
  process.exit(2);
}
const complaints = [];
for (const file of files) complaints.push(...(await lintFile(file)));
for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
process.exit(complaints.length ? 1 : 0);
