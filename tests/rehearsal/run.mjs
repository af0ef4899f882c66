#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
/** Runs a workflow here; `run.mjs --help` says how. */

import "./packages.mjs";

const { main } = await import("./command_line.mjs");
process.exit(await main(process.argv.slice(2)));
