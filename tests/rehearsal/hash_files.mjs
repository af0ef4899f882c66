// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * hashFiles(): SHA-256 over the SHA-256 of each file in the workspace that the
 * patterns find, in order; empty where they find none.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { find, readPatterns } from "./globs.mjs";

export function hashFiles(patterns, { workspace, home }) {
  const files = find(readPatterns(patterns.join("\n"), workspace, home)).filter(
    (file) => file.startsWith(`${workspace}/`),
  );
  if (files.length === 0) return "";
  const whole = createHash("sha256");
  for (const file of files)
    whole.update(createHash("sha256").update(readFileSync(file)).digest());
  return whole.digest("hex");
}
