// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * A repository's tree in a folder of a job: at a commit, as a git repository
 * where the source is one, and with what is not committed there, so that a
 * workflow can be rehearsed before it is committed. The source is only read.
 */

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { commitOf, git } from "./git.mjs";

/** A repository of one commit, which takes its objects from another's. */
function makeRepository(source, target, sha, shallow) {
  const objects = git(source, "rev-parse", "--git-path", "objects").trim();
  git(target, "init", "-q");
  appendFileSync(
    path.join(target, ".git/objects/info/alternates"),
    `${path.resolve(source, objects)}\n`,
  );
  if (shallow) writeFileSync(path.join(target, ".git/shallow"), `${sha}\n`);
  git(target, "checkout", "-q", "--detach", sha);
}

/** Bring the working tree's own changes into a fresh checkout. */
function copyChanges(source, target) {
  const list = (...args) =>
    git(source, "ls-files", "-z", "--exclude-standard", ...args)
      .split("\0")
      .filter((name) => name);
  for (const name of new Set(list("-m", "-o"))) {
    const from = path.join(source, name);
    rmSync(path.join(target, name), { recursive: true, force: true });
    if (existsSync(from))
      cpSync(from, path.join(target, name), {
        recursive: true,
        verbatimSymlinks: true,
      });
  }
}

function isRepository(folder) {
  return existsSync(path.join(folder, ".git"));
}

/**
 * Put the tree of a source into a folder, which is made.
 *
 * @param ref a name of a commit in the source, which is ignored where that is
 *   no git repository.
 * @param options shallow: without the commits before; workingTree: with what
 *   is not committed, if the commit is the one that the source is at.
 * @return the commit, or undefined.
 */
export function placeTree(source, target, ref, { shallow, workingTree }) {
  mkdirSync(target, { recursive: true });
  if (!isRepository(source)) {
    cpSync(source, target, { recursive: true, verbatimSymlinks: true });
    return undefined;
  }
  const sha = commitOf(source, ref);
  makeRepository(source, target, sha, shallow);
  if (workingTree && sha === commitOf(source, "HEAD"))
    copyChanges(source, target);
  return sha;
}
