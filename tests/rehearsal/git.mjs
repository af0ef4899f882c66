// SPDX-License-Identifier: LGPL-2.1-or-later
/** Asking git, without what the environment or the user's settings say. */

import { execFileSync } from "node:child_process";

/** A command's output. Throws with what it said. */
export function git(folder, ...args) {
  return execFileSync("git", ["-C", folder, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      // A container's user is often another one than the folder's.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
    },
  });
}

/** The commit that a name means. Throws where there is none. */
export function commitOf(folder, name) {
  return git(folder, "rev-parse", "--verify", `${name}^{commit}`).trim();
}
