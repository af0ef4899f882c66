// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What steps write into the files that GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH
 * and GITHUB_STEP_SUMMARY name.
 */

/** Of a step's summary, in bytes. */
export const MAX_SUMMARY = 1024 * 1024;

/**
 * `name=value` lines and `name<<DELIMITER` blocks, as an object. Throws with
 * the runner's words where the format is wrong.
 */
export function parseAssignments(text) {
  const result = {};
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0)
        throw new Error(`Invalid format '${line}'. Name must not be empty`);
      result[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    if (heredoc < 0) throw new Error(`Invalid format '${line}'`);
    const name = line.slice(0, heredoc);
    const delimiter = line.slice(heredoc + 2);
    if (!name || !delimiter)
      throw new Error(
        `Invalid format '${line}'. Name must not be empty and delimiter must not be empty`,
      );
    const end = lines.indexOf(delimiter, i + 1);
    if (end < 0)
      throw new Error(
        `Invalid value. Matching delimiter not found '${delimiter}'`,
      );
    result[name] = lines.slice(i + 1, end).join("\n");
    i = end;
  }
  return result;
}

/** Folders, one a line. */
export function parsePaths(text) {
  return text.split(/\r?\n/).filter((line) => line !== "");
}
