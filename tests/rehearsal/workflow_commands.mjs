// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Workflow commands: lines of a step's output that begin with `::`, or, the
 * old form, hold `##[`. Lines go in, what the log shows comes out.
 *
 * As GitHub's runner does it: a command it does not know is plain text, those
 * that set variables are disabled, and between `::stop-commands::TOKEN` and
 * `::TOKEN::` nothing is a command.
 */

/** So many of a kind are shown for a step. */
const MAX_SHOWN = 10;

const UNESCAPE_DATA = { "%0D": "\r", "%0A": "\n", "%25": "%" };
const UNESCAPE_PROPERTY = { ...UNESCAPE_DATA, "%3A": ":", "%2C": "," };

function unescape(text, table) {
  return text.replace(/%(0D|0A|25|3A|2C)/g, (all) => table[all] ?? all);
}

/** A command {name, properties, data}, or undefined. */
export function parseCommand(line) {
  const match =
    /^\s*::([^\s:]+)(?:\s+(.*?))?::(.*)$/s.exec(line) ??
    /##\[([^\s\]]+)(?:\s+(.*?))?\](.*)$/s.exec(line);
  if (!match) return undefined;
  const properties = {};
  for (const part of (match[2] ?? "").split(",")) {
    const at = part.indexOf("=");
    if (at > 0)
      properties[part.slice(0, at).trim()] = unescape(
        part.slice(at + 1),
        UNESCAPE_PROPERTY,
      );
  }
  return {
    name: match[1].toLowerCase(),
    properties,
    data: unescape(match[3], UNESCAPE_DATA),
  };
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

  isIn(text) {
    return [...this.#values].some((value) => text.includes(value));
  }
}

/** Kinds of annotation, and how the log shows them. */
const ANNOTATIONS = { error: "Error", warning: "Warning", notice: "Notice" };

/** The output of one step on its way to the log. */
export class CommandStream {
  /**
   * @param masks the job's Masks.
   * @param effects what old commands may still do: setOutput(name, value),
   *   and fail(reason) for those that are disabled.
   * @param parent the stream of the step that this one is inside of, which
   *   gets its annotations too.
   */
  constructor(masks, effects, parent) {
    this.annotations = [];
    this.groups = 0;
    this.#masks = masks;
    this.#effects = effects;
    this.#parent = parent;
  }

  #masks;
  #effects;
  #parent;
  #stopped = null;

  /** Add an annotation, as a command would. Tells whether it is shown. */
  annotate(level, message, { title, file, line } = {}) {
    const place = { title, file, line };
    const same = this.annotations.filter((each) => each.level === level);
    const shown = this.#parent
      ? this.#parent.annotate(level, message, place)
      : same.length < MAX_SHOWN;
    this.annotations.push({
      level,
      message: this.#masks.hide(message),
      ...(title && { title: this.#masks.hide(title) }),
      ...(file && { file }),
      ...(line && { line: Number(line) }),
      shown,
    });
    return shown;
  }

  /** What the log shows of a line: a text, or undefined for nothing. */
  line(text) {
    const command = parseCommand(text);
    if (this.#stopped !== null) {
      if (command?.name === this.#stopped) this.#stopped = null;
      return this.#masks.hide(text);
    }
    const shown = command ? this.#execute(command, text) : text;
    return shown === undefined ? undefined : this.#masks.hide(shown);
  }

  #execute({ name, properties, data }, text) {
    if (name in ANNOTATIONS) {
      this.annotate(name, data, properties);
      return `${ANNOTATIONS[name]}: ${data}`;
    }
    switch (name) {
      case "group":
        this.groups++;
        return `##[group]${data}`;
      case "endgroup":
        return "##[endgroup]";
      case "debug":
        return undefined;
      case "add-mask":
        this.#masks.add(data);
        return undefined;
      case "stop-commands":
        this.#stopped = data.toLowerCase();
        return text;
      case "echo":
      case "add-matcher":
      case "remove-matcher":
        return undefined;
      case "set-output":
        this.annotate("warning", "The `set-output` command is deprecated");
        this.#effects.setOutput(properties.name, data);
        return undefined;
      case "set-env":
      case "add-path":
        this.#effects.fail(`The \`${name}\` command is disabled`);
        return text;
    }
    return text;
  }
}
