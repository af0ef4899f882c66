// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Glob patterns of paths, as hashFiles() and the actions for caches, artifacts
 * and attestations take them: one a line, `*`, `?`, `[...]` and `**`, `!` to
 * take away what earlier ones found, `#` for comments, `~` for home.
 */

import { lstatSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

const MAGIC = /[*?[]/;

/** A regular expression for a glob over whole paths or names. */
export function globExpression(glob) {
  let text = "";
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i];
    if (glob.startsWith("**/", i)) {
      text += "(?:[^/]*/)*";
      i += 2;
    } else if (glob.startsWith("**", i)) {
      text += ".*";
      i += 1;
    } else if (c === "*") text += "[^/]*";
    else if (c === "?") text += "[^/]";
    else if (c === "[" && glob.includes("]", i + 1)) {
      const end = glob.indexOf("]", i + 1);
      text += `[${glob
        .slice(i + 1, end)
        .replace(/^!/, "^")
        .replace(/\\/g, "\\\\")}]`;
      i = end;
    } else text += c.replace(/[\\^$.|+(){}[\]]/g, "\\$&");
  }
  return new RegExp(`^${text}$`, "s");
}

/** The patterns of a text as {glob, excluded}, absolute. */
export function readPatterns(text, folder, home) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => {
      const excluded = line.startsWith("!");
      const glob = (excluded ? line.slice(1).trim() : line).replace(
        /^~(?=\/|$)/,
        home,
      );
      return { glob: path.resolve(folder, glob), excluded };
    });
}

/** The deepest folder or file that a pattern names without magic. */
export function searchPath(glob) {
  const parts = glob.split("/");
  const magic = parts.findIndex((part) => MAGIC.test(part));
  return magic < 0 ? glob : parts.slice(0, magic).join("/") || "/";
}

/** Links to folders are not followed. */
function* walk(start) {
  const status = statSync(start, { throwIfNoEntry: false });
  if (!status) return;
  const folder = status.isDirectory();
  yield { path: start, folder };
  if (!folder || lstatSync(start).isSymbolicLink()) return;
  for (const name of readdirSync(start).sort())
    yield* walk(path.join(start, name));
}

/**
 * What patterns find, as absolute paths in order. A folder that is found
 * stands for all that is in it. With `folders`, folders are in the result too.
 */
export function find(patterns, { folders = false } = {}) {
  const found = new Set();
  for (const { glob, excluded } of patterns) {
    const expression = globExpression(glob);
    const under = (name) => {
      for (let at = name; ; at = path.dirname(at)) {
        if (expression.test(at)) return true;
        if (at === path.dirname(at)) return false;
      }
    };
    if (excluded) {
      for (const name of found) if (under(name)) found.delete(name);
      continue;
    }
    for (const entry of walk(searchPath(glob)))
      if ((folders || !entry.folder) && under(entry.path))
        found.add(entry.path);
  }
  return [...found];
}
