// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import {
  ON,
  PIN,
  Repository,
  job,
  messages,
  refusal,
  rehearse,
  steps,
} from "./support.mjs";

function git(folder, ...args) {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  return execFileSync("git", ["-C", folder, ...identity, ...args], {
    encoding: "utf8",
  }).trim();
}

function committed(t, workflow) {
  const repository = new Repository(t, {
    "test.yml": workflow,
    "README.md": "one\n",
    "deleted.txt": "x\n",
    ".gitignore": "/build/\n",
    "build/output": "x\n",
  });
  git(repository.tree, "init", "-q", "-b", "main");
  git(repository.tree, "add", "-A");
  git(repository.tree, "commit", "-q", "-m", "one");
  git(repository.tree, "commit", "-q", "-m", "two", "--allow-empty");
  return repository;
}

const CHECKOUT = steps(`
- uses: actions/checkout@${PIN}
  with: {fetch-depth: 1}
- id: s
  run: |
    { echo "sha=$(git rev-parse HEAD)"; echo "readme=$(cat README.md)"
      echo "files=$(git ls-files | wc -l)"; echo "new=$(cat new.txt || :)"
      echo "status=$(git status --porcelain | tr '\\n' ' ')"
      echo "depth=$(git rev-list HEAD | wc -l)"
      echo "header=$(git config --get-regexp extraheader | wc -l)"
      echo "build=$(ls build 2>/dev/null || :)"; } >>"$GITHUB_OUTPUT"
`);

test("checkout gives a git repository, with what is not committed", async (t) => {
  const repository = committed(t, CHECKOUT);
  const head = git(repository.tree, "rev-parse", "HEAD");
  repository.write("README.md", "two\n");
  repository.write("new.txt", "new\n");
  execFileSync("rm", [path.join(repository.tree, "deleted.txt")]);
  const result = await repository.run("test.yml");
  assert.equal(result.conclusion, "success");
  assert.deepEqual(result.jobs[0].steps[1].outputs, {
    sha: head,
    readme: "two",
    files: "4",
    new: "new",
    status: " M README.md  D deleted.txt ?? new.txt ",
    header: "1",
    build: "",
    depth: "1",
  });
});

test("checkout of a commit gives that one alone, without credentials if told so", async (t) => {
  const workflow = CHECKOUT.replace(
    "fetch-depth: 1",
    "persist-credentials: false",
  );
  const repository = committed(t, workflow);
  const sha = git(repository.tree, "rev-parse", "HEAD");
  repository.write("README.md", "two\n");
  const result = await repository.run("test.yml", { github: { sha } });
  const { outputs } = result.jobs[0].steps[1];
  assert.equal(outputs.readme, "one");
  assert.equal(outputs.header, "0");
  assert.equal(outputs.status, "");
});

test("checkout takes other repositories that are known, into a folder", async (t) => {
  const other = new Repository(t, { "hello.txt": "hello\n" });
  const workflow = (name) =>
    steps(`
- uses: actions/checkout@${PIN}
  with: {repository: ${name}, path: other/one}
- run: cat other/one/hello.txt
`);
  const settings = { repositories: { "you/other": other.tree } };
  const known = await rehearse(t, workflow("you/other"), { settings });
  assert.equal(known.conclusion, "success");
  const unknown = await rehearse(t, workflow("you/none"), { settings });
  assert.match(
    messages(unknown.jobs[0])[0],
    /no folder is known for you\/none/,
  );
});

test("an unknown action is an error before anything runs", async (t) => {
  const text = steps(
    `- run: "true"\n- {uses: "someone/thing@${"0".repeat(40)}"} # v1`,
  );
  assert.match(
    await refusal(t, text),
    /line 8: someone\/thing@0+: there is no local equivalent/,
  );
});

test("an input that has no equivalent is an error, not ignored", async (t) => {
  const uses = `"actions/checkout@${"0".repeat(40)}"`;
  const result = await rehearse(
    t,
    steps(`- {uses: ${uses}, with: {submodules: true}} # v1`),
  );
  assert.deepEqual(messages(result.jobs[0]), [
    "actions/checkout: 'submodules' cannot be rehearsed",
  ]);
});

test("an input that an action does not have is warned of", async (t) => {
  const result = await rehearse(
    t,
    steps(
      `- {uses: "actions/checkout@${"0".repeat(40)}", with: {depth: 1}} # v1`,
    ),
  );
  assert.match(
    messages(result.jobs[0], "warning")[0],
    /^Unexpected input\(s\) 'depth', valid inputs are \['repository'/,
  );
});

const UPLOAD = (name, lines) => `
- uses: actions/upload-artifact@${PIN}
  with:
    name: ${name}
${lines.replace(/^/gm, "    ")}`;

test("an artifact goes from one job to another", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  up:
    ${ON}
    strategy: {matrix: {n: [1, 2]}}
    steps:
      - env: {N: "\${{ matrix.n }}"}
        run: |
          mkdir -p out/deep; echo "$N" >"out/$N.txt"; echo "$N" >"out/deep/$N.log"
          echo x >out/.hidden
      - id: up
        uses: actions/upload-artifact@${PIN}
        with: {name: "files-\${{ matrix.n }}", path: out/, retention-days: 5}
      - run: test "$ID" -gt 0 && test "\${#DIGEST}" = 64
        env:
          ID: \${{ steps.up.outputs.artifact-id }}
          DIGEST: \${{ steps.up.outputs.artifact-digest }}
  down:
    ${ON}
    needs: up
    steps:
      - {uses: "actions/download-artifact@${"0".repeat(40)}", with: {name: files-1, path: a}} # v1
      - {uses: "actions/download-artifact@${"0".repeat(40)}", with: {path: b}} # v1
      - {uses: "actions/download-artifact@${"0".repeat(40)}", with: {pattern: files-*, path: c, merge-multiple: true}} # v1
      - {uses: "actions/download-artifact@${"0".repeat(40)}", with: {pattern: none-*, path: d}} # v1
      - {id: s, run: 'echo "files=$(find . -type f | sort | tr "\\n" " ")" >>"$GITHUB_OUTPUT"'}
      - {uses: "actions/download-artifact@${"0".repeat(40)}", with: {name: files-3}} # v1
`,
  );
  const down = job(result, "down");
  assert.equal(
    down.steps[4].outputs.files,
    [
      ...["./a/1.txt", "./a/deep/1.log"],
      ...["./b/files-1/1.txt", "./b/files-1/deep/1.log"],
      ...["./b/files-2/2.txt", "./b/files-2/deep/2.log"],
      ...["./c/1.txt", "./c/2.txt", "./c/deep/1.log", "./c/deep/2.log", ""],
    ].join(" "),
  );
  assert.deepEqual(messages(down), [
    "Unable to download artifact(s): Artifact not found for name: files-3",
  ]);
  assert.deepEqual(
    result.artifacts
      .map(({ name, files, retention_days }) => ({
        name,
        files,
        retention_days,
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    [1, 2].map((n) => ({
      name: `files-${n}`,
      files: [`${n}.txt`, `deep/${n}.log`],
      retention_days: 5,
    })),
  );
});

test("an artifact's name is taken once, and has no slash", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- run: echo 1 >a; echo 2 >b
${UPLOAD("x", "path: a")}
${UPLOAD("x", "path: b")}
  continue-on-error: true
${UPLOAD("x", "path: |\n  a\n  b\noverwrite: true")}
${UPLOAD("a/b", "path: a")}
  continue-on-error: true
`),
  );
  const { steps: all } = result.jobs[0];
  assert.match(messages(all[2])[0], /409.*the name x already exists/);
  assert.match(messages(all[4])[0], /name is not valid: a\/b/);
  assert.deepEqual(
    result.artifacts.map(({ files }) => files),
    [["a", "b"]],
  );
  assert.equal(result.conclusion, "success");
});

test("no files for an artifact: an error, a warning or nothing", async (t) => {
  const result = await rehearse(
    t,
    steps(`
${UPLOAD("a", "path: none*")}
${UPLOAD("b", "path: none*\nif-no-files-found: ignore")}
${UPLOAD("c", "path: none*\nif-no-files-found: error")}
`),
  );
  const [warn, ignore, error] = result.jobs[0].steps;
  assert.match(messages(warn, "warning")[0], /^No files were found/);
  assert.deepEqual(ignore.annotations, []);
  assert.match(messages(error)[0], /^No files were found/);
  assert.deepEqual(result.artifacts, []);
});

const CACHE = (key, more = "", path = "~/stuff") => `on: push
jobs:
  test:
    ${ON}
    steps:
      - id: cache
        uses: actions/cache@${PIN}
        with:
          path: ${path}
          key: ${key}
${more}
      - run: cat ~/stuff/file || true
      - run: |
          mkdir -p ~/stuff; echo "${key}" >~/stuff/file
`;

test("a cache lives on: exact, by prefix, or not at all", async (t) => {
  const repository = new Repository(t);
  const run = async (workflow, scenario) => {
    repository.write("test.yml", workflow);
    const result = await repository.run("test.yml", scenario);
    assert.deepEqual(result.errors, []);
    const { outputs } = result.jobs[0].steps[0];
    return {
      hit: outputs["cache-hit"],
      from: outputs["cache-matched-key"],
      read: readFileSync(result.jobs[0].steps[1].log, "utf8").includes("k-1"),
      operations: result.caches.map(({ operation }) => operation),
    };
  };
  const prefix = "          restore-keys: |\n            k-\n";
  assert.deepEqual(await run(CACHE("k-1")), {
    hit: "",
    from: "",
    read: false,
    operations: ["restore", "save"],
  });
  assert.deepEqual(await run(CACHE("k-1")), {
    hit: "true",
    from: "k-1",
    read: true,
    operations: ["restore"],
  });
  assert.equal((await run(CACHE("k-2"))).hit, "");
  const found = await run(CACHE("k-3", prefix));
  assert.deepEqual([found.hit, found.from], ["false", "k-2"]);
  // Other paths are another cache, and so are those of other branches.
  assert.equal((await run(CACHE("k-1", "", "~/stuff/"))).hit, "");
  const topic = { github: { ref: "refs/heads/topic" } };
  assert.equal((await run(CACHE("k-4"), topic)).hit, "");
  assert.equal((await run(CACHE("k-4"))).hit, "");
  assert.equal((await run(CACHE("k-1"), topic)).hit, "true");
});

test("a failed job saves no cache, but actions/cache/save does it at once", async (t) => {
  const repository = new Repository(t);
  const run = async (list) => {
    repository.write("test.yml", steps(list));
    return repository.run("test.yml");
  };
  const fails = (uses) => `
- run: mkdir -p ~/x; echo 1 >~/x/1
- uses: ${uses}@${PIN}
  with: {path: ~/x, key: k}
- run: exit 1
`;
  assert.deepEqual(
    (await run(fails("actions/cache"))).caches.map(
      ({ operation }) => operation,
    ),
    ["restore"],
  );
  assert.deepEqual(
    (await run(fails("actions/cache/save"))).caches.map(
      ({ operation }) => operation,
    ),
    ["save"],
  );
  const again = await run(fails("actions/cache/save"));
  assert.match(
    messages(again.jobs[0], "warning")[0],
    /Unable to reserve cache with key k/,
  );
  const restored = await run(`
- uses: actions/cache/restore@${PIN}
  with: {path: ~/x, key: k, fail-on-cache-miss: true}
- run: test "$(cat ~/x/1)" = 1
- uses: actions/cache/restore@${PIN}
  with: {path: ~/x, key: other, fail-on-cache-miss: true}
`);
  assert.deepEqual(messages(restored.jobs[0]), [
    "Failed to restore cache entry. Input key: other",
  ]);
});

const ATTEST = (permissions) => `on: push
jobs:
  test:
    ${ON}
    permissions: ${permissions}
    steps:
      - run: echo one >one.tar; echo two >two.tar
      - id: a
        uses: actions/attest-build-provenance@${PIN}
        with: {subject-path: "*.tar"}
      - run: test -s "$B"
        env: {B: "\${{ steps.a.outputs.bundle-path }}"}
`;

test("an attestation has the digests, and needs both permissions", async (t) => {
  const result = await rehearse(
    t,
    ATTEST("{id-token: write, attestations: write}"),
  );
  const digest = (text) =>
    `sha256:${createHash("sha256").update(text).digest("hex")}`;
  assert.deepEqual(result.attestations, [
    {
      job: "test",
      subjects: [
        { name: "one.tar", digest: digest("one\n") },
        { name: "two.tar", digest: digest("two\n") },
      ],
    },
  ]);
  assert.equal(result.conclusion, "success");
  assert.match(result.summary, /Attestation Created/);

  for (const permissions of ["{id-token: write}", "{attestations: write}"]) {
    const refused = await rehearse(t, ATTEST(permissions));
    assert.match(messages(refused.jobs[0])[0], /the job needs '/);
    assert.deepEqual(refused.attestations, []);
  }
});

test("home may be one folder for all jobs", async (t) => {
  const repository = new Repository(t, {
    "test.yml": `on: push
jobs:
  a: {${ON}, steps: [{run: "echo 1 >~/x"}]}
  b: {${ON}, needs: a, steps: [{run: "cat ~/x"}]}
`,
  });
  const home = path.join(repository.folder, "home");
  assert.equal((await repository.run("test.yml")).conclusion, "failure");
  const shared = await repository.run("test.yml", { settings: { home } });
  assert.equal(shared.conclusion, "success");
  writeFileSync(path.join(home, "x"), "");
});
