// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Makes the npm packages of package.json importable from where they were
 * installed, which is no folder above this one: VMTEST_REHEARSAL_PACKAGES,
 * a folder with node_modules (tests/fixtures/rehearsal.py makes it).
 *
 * It must be loaded before anything that imports them, so programs import this
 * file first and the rest with import(), and node:test gets it by --import.
 */

import { existsSync } from "node:fs";
import { register } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

if (!register)
  throw new Error(
    `Node.js ${process.version} has no module.register: 18.19 or later is needed`,
  );

const folder =
  process.env.VMTEST_REHEARSAL_PACKAGES ??
  fileURLToPath(new URL(".", import.meta.url));
if (!existsSync(path.join(folder, "node_modules/@actions")))
  throw new Error(
    `${folder} has no npm packages: set VMTEST_REHEARSAL_PACKAGES to what ` +
      "tests/fixtures/rehearsal.py --packages prints",
  );
register("./packages_hooks.mjs", import.meta.url, {
  data: {
    parent: pathToFileURL(`${folder}/package.json`).href,
    ours: new URL("./", import.meta.url).href,
  },
});
