// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Scalars of several lines in a workflow file.
 *
 * GitHub's parser for editors takes an expression in such a scalar from the
 * source, with indentation and unfolded lines, where GitHub itself takes it
 * from the value. So it gets them in one line here, quoted, with the same value
 * and with all other lines where they were.
 */

import { isScalar, parseDocument, visit } from "yaml";

/** Scalars as {start, end, value}, in order. */
function multiLineExpressions(content) {
  const found = [];
  visit(parseDocument(content), {
    Scalar(_, node) {
      if (!isScalar(node) || typeof node.value !== "string" || !node.range)
        return;
      const [start, end] = node.range;
      const source = content.slice(start, end);
      if (source.includes("${{") && source.includes("\n"))
        found.push({ start, end, value: node.value });
    },
  });
  return found;
}

/** The same file with expressions in scalars of one line only. */
export function flattenScalars(content) {
  let result = "";
  let at = 0;
  let missing = 0; // Lines that were taken, to be given back at the next end of one.
  const copy = (end) => {
    const text = content.slice(at, end);
    at = end;
    if (!text.includes("\n")) return text;
    const lines = "\n".repeat(missing);
    missing = 0;
    return text.replace("\n", () => `\n${lines}`);
  };
  for (const { start, end, value } of multiLineExpressions(content)) {
    const source = content.slice(start, end);
    result += copy(start) + JSON.stringify(value);
    missing += source.split("\n").length - 1;
    // What follows a block begins a line, what follows a quote goes on in one.
    at = source.endsWith("\n") ? end - 1 : end;
    if (at < end) missing--;
  }
  return result + copy(content.length);
}
