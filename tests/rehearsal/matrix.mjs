// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * strategy.matrix: from vectors, include and exclude to the jobs it makes.
 *
 * As GitHub documents it: combinations of the vectors in their order, less
 * those that an `exclude` matches, then each `include` is merged into all
 * original combinations whose own values it does not change, or is a job of
 * its own.
 */

import { TemplateError } from "./expressions.mjs";

/** GitHub's limit. */
export const MAX_JOBS = 256;

function matches(part, whole) {
  if (part === null || typeof part !== "object" || Array.isArray(part))
    return JSON.stringify(part) === JSON.stringify(whole);
  return (
    whole !== null &&
    typeof whole === "object" &&
    Object.entries(part).every(([key, value]) => matches(value, whole[key]))
  );
}

function combine(vectors) {
  let result = [{}];
  for (const [name, values] of vectors)
    result = result.flatMap((each) =>
      values.map((value) => ({ ...each, [name]: value })),
    );
  return result;
}

function checkMappings(name, list) {
  const plain = (item) =>
    item !== null && typeof item === "object" && !Array.isArray(item);
  if (!Array.isArray(list) || !list.every(plain))
    throw new TemplateError(`matrix: ${name} is no list of mappings`);
}

/**
 * The jobs of a matrix, as objects of values. Without a matrix, one job
 * without values. Throws what GitHub would report.
 */
export function expandMatrix(matrix) {
  if (matrix === undefined) return [{}];
  if (matrix === null || typeof matrix !== "object" || Array.isArray(matrix))
    throw new TemplateError("matrix: a mapping was expected");
  const { include = [], exclude = [], ...rest } = matrix;
  const vectors = Object.entries(rest);
  checkMappings("include", include);
  checkMappings("exclude", exclude);
  for (const [name, values] of vectors) {
    if (!Array.isArray(values))
      throw new TemplateError(`Matrix vector '${name}' is no list`);
    if (values.length === 0)
      throw new TemplateError(
        `Matrix vector '${name}' does not contain any values`,
      );
  }
  if (vectors.length === 0 && include.length === 0)
    throw new TemplateError("Matrix must define at least one vector");
  for (const each of exclude)
    for (const key of Object.keys(each))
      if (!(key in rest))
        throw new TemplateError(
          `Matrix exclude key '${key}' does not match any key within the matrix`,
        );

  const originals = (vectors.length ? combine(vectors) : []).filter(
    (job) => !exclude.some((each) => matches(each, job)),
  );
  const jobs = originals.map((job) => ({ ...job }));
  for (const each of include) {
    let merged = false;
    originals.forEach((original, i) => {
      const keeps = Object.entries(each).every(
        ([key, value]) => !(key in original) || matches(value, original[key]),
      );
      if (!keeps) return;
      Object.assign(jobs[i], each);
      merged = true;
    });
    if (!merged) jobs.push({ ...each });
  }
  if (jobs.length === 0)
    throw new TemplateError("Matrix excludes all of its jobs");
  if (jobs.length > MAX_JOBS)
    throw new TemplateError(
      `Matrix makes ${jobs.length} jobs, which is more than ${MAX_JOBS}`,
    );
  return jobs;
}

function* leaves(value) {
  if (value !== null && typeof value === "object")
    for (const item of Object.values(value)) yield* leaves(item);
  else yield String(value ?? "");
}

/** What GitHub puts behind a job's name: " (6.12, tiny)". */
export function matrixSuffix(values) {
  const text = [...leaves(values)].filter((leaf) => leaf !== "").join(", ");
  return text ? ` (${text})` : "";
}
