// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Running a script as the runner does: which command a `shell` is, and the
 * process with its output in lines, which can be ended with all it started.
 */

import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What GitHub documents for each `shell`; {0} is the script. */
const SHELLS = {
  bash: "bash --noprofile --norc -eo pipefail {0}",
  sh: "sh -e {0}",
  python: "python {0}",
};
const UNSPECIFIED = "bash -e {0}";

const EXTENSIONS = { bash: ".sh", sh: ".sh", python: ".py" };

/** The end of a script's name, by which some programs know what it is. */
export function scriptExtension(shell) {
  return shell === undefined ? ".sh" : (EXTENSIONS[shell] ?? "");
}

/** The command of a script as a list. Throws for a shell that is none. */
export function shellCommand(shell, script) {
  const template = shell === undefined ? UNSPECIFIED : (SHELLS[shell] ?? shell);
  if (!template.includes("{0}"))
    throw new Error(
      `Invalid shell option '${shell}': neither one of ` +
        `${Object.keys(SHELLS).join(", ")} nor a command with {0}`,
    );
  return template
    .split(/\s+/)
    .filter((word) => word)
    .map((word) => word.replaceAll("{0}", script));
}

/** Our processes by parent: Map of pid → list of pids. */
function childrenByParent() {
  const result = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    let status;
    try {
      status = readFileSync(`/proc/${name}/stat`, "latin1");
    } catch {
      continue; // It ended meanwhile.
    }
    const parent = Number(
      status.slice(status.lastIndexOf(")") + 4).split(" ")[0],
    );
    result.set(parent, [...(result.get(parent) ?? []), Number(name)]);
  }
  return result;
}

function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

function killTree(pid) {
  const children = childrenByParent();
  const visit = (each) => {
    for (const child of children.get(each) ?? []) visit(child);
    signalProcess(each, "SIGKILL");
  };
  visit(pid);
}

/** Kill all processes that have this `NAME=value` in their environment. */
export function killMarked(variable) {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, "latin1");
      if (environment.split("\0").includes(variable))
        process.kill(Number(name), "SIGKILL");
    } catch {
      // It ended meanwhile, or is not ours.
    }
  }
}

/** How long the runner waits after SIGINT, and after the SIGTERM that follows. */
export const GRACE_MS = [7500, 2500];

/** A process left behind may hold the output open; no longer than this. */
const DRAIN_MS = 1000;

/**
 * Run a command. Its stdout and stderr are one stream, in the order in which
 * they were written.
 *
 * @param onLine called with each line of it.
 * @param stop an AbortSignal that ends the command: SIGINT, then SIGTERM, to
 *   the command alone, then SIGKILL to all that it started.
 * @return {status} or {signal}, when it has ended and its output too.
 */
export async function runCommand(command, { cwd, env, onLine, stop, graceMs }) {
  // A shell joins the two streams and becomes the command.
  const joined = ["-c", 'exec "$@" 2>&1', "sh", ...command];
  const child = spawn("/bin/sh", joined, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });

  let rest = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) onLine(line.replace(/\r$/, ""));
  });

  const closed = new Promise((resolve) => child.on("close", resolve));
  const exited = new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: 127, error }));
    child.on("exit", (status, signal) =>
      resolve(signal ? { signal } : { status }),
    );
  });
  const within = (promise, milliseconds) => {
    const timer = new AbortController();
    return Promise.race([
      promise,
      sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => {}),
    ]).finally(() => timer.abort());
  };
  const end = async () => {
    signalProcess(child.pid, "SIGINT");
    if (await within(exited, graceMs[0])) return;
    signalProcess(child.pid, "SIGTERM");
    if (await within(exited, graceMs[1])) return;
    killTree(child.pid);
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end, { once: true });

  const result = await exited;
  stop.removeEventListener("abort", end);
  if (!result.error) await within(closed, DRAIN_MS);
  child.stdout.destroy();
  if (rest) onLine(rest);
  return result;
}
