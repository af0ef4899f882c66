// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * How a step speaks to the runner: workflow commands, which are lines of its
 * output that begin with `::`, and files such as GITHUB_OUTPUT.
 *
 * As GitHub's runner does it, a command it does not know is plain text, and
 * nothing is one between `::stop-commands::TOKEN` and `::TOKEN::`.
 */

import { Failure } from "./failure.mjs";

const ESCAPES = { "%0D": "\r", "%0A": "\n", "%25": "%" };

/** Kinds of annotation, and how the log shows them. */
const ANNOTATIONS = { error: "Error", warning: "Warning", notice: "Notice" };

/** What GitHub's runner knows beyond what is here. */
const REFUSED = [
  ...["add-matcher", "add-path", "debug", "echo", "remove-matcher"],
  ...["save-state", "set-env", "set-output"],
];

/** A command {name, data}, or undefined. Nobody asks for its properties. */
function parseCommand(line) {
  const match = /^\s*::([^\s:]+)(?:\s+.*?)?::(.*)$/.exec(line);
  if (!match) return undefined;
  const data = match[2].replace(/%(0D|0A|25)/g, (escape) => ESCAPES[escape]);
  return { name: match[1].toLowerCase(), data };
}

/** The secrets that a job's log must not show. */
export class Masks {
  #values = new Set();

  /** Each line of the value; what is only white space is no secret. */
  add(value) {
    for (const line of [value, ...value.split(/\r?\n/)])
      if (line.trim()) this.#values.add(line);
  }

  hide(text) {
    const longestFirst = [...this.#values].sort((a, b) => b.length - a.length);
    for (const value of longestFirst) text = text.replaceAll(value, "***");
    return text;
  }
}

/**
 * What the log shows of a step's output, and the name of a command that it may
 * not use: {shown, refused}.
 *
 * @param annotations a list that those of the output are added to.
 */
export function readOutput(text, masks, annotations) {
  const shown = [];
  let stopped;
  let refused;
  for (const line of text.split("\n")) {
    const { name, data } = parseCommand(line) ?? {};
    if (stopped !== undefined) {
      if (name === stopped) stopped = undefined;
    } else if (name in ANNOTATIONS) {
      const message = masks.hide(data);
      annotations.push({ level: name, message });
      shown.push(`${ANNOTATIONS[name]}: ${message}`);
      continue;
    } else if (name === "add-mask") {
      masks.add(data);
      continue;
    } else if (name === "stop-commands") stopped = data.toLowerCase();
    else if (REFUSED.includes(name)) refused = name;
    shown.push(masks.hide(line));
  }
  return { shown: shown.join("\n"), refused };
}

/**
 * `name=value` lines of a file, and `name<<END` with lines up to END, as an
 * object. Throws Failure with the runner's words.
 */
export function parseAssignments(text) {
  const result = {};
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    if (lines[i] === "") continue;
    const [, name, kind, value] = /^([^<=]+)(=|<<)(.*)$/.exec(lines[i]) ?? [];
    if (!name) throw new Failure(`Invalid format '${lines[i]}'`);
    result[name] = value;
    if (kind === "=") continue;
    const end = lines.indexOf(value, i + 1);
    if (end < 0)
      throw new Failure(`Invalid value. Matching delimiter not found '${value}'`);
    result[name] = lines.slice(i + 1, end).join("\n");
    i = end;
  }
  return result;
}
