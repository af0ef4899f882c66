// SPDX-License-Identifier: LGPL-2.1-or-later
/** What fails a workflow, a job or a step, with a message for its user. */
export class Failure extends Error {
  /** @param token of the file, for the line; may be undefined. */
  constructor(message, token) {
    const line = token?.range?.start.line;
    super(line ? `line ${line}: ${message}` : message);
  }
}
