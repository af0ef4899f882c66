// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * The `github` context of a run: repository, event, commit and addresses, from
 * what a scenario says and defaults that are like a real run's.
 */

const EVENTS = {
  schedule: ({ schedule }) => ({ schedule }),
  workflow_dispatch: ({ inputs, ref, path }) => ({
    // As texts, whatever their type.
    inputs: Object.keys(inputs).length
      ? Object.fromEntries(
          Object.entries(inputs).map(([key, value]) => [key, String(value)]),
        )
      : null,
    ref,
    workflow: path,
  }),
};

function eventPayload(name, facts, payload, github) {
  const [owner] = github.repository.split("/");
  return {
    repository: {
      full_name: github.repository,
      name: github.repository.split("/")[1],
      owner: { login: owner },
      default_branch: "main",
      html_url: `${github.server_url}/${github.repository}`,
    },
    sender: { login: github.actor },
    ...(EVENTS[name]?.(facts) ?? {}),
    ...payload,
  };
}

/**
 * @param workflow from workflow.mjs.
 * @param scenario event, inputs, schedule, payload and github, where any
 *   property of the context may be set.
 * @param commit of the repository.
 */
export function githubContext(workflow, scenario, commit) {
  const { event, inputs = {}, payload = {}, github: given = {} } = scenario;
  const repository = given.repository ?? "octo/kernels";
  const ref = given.ref ?? "refs/heads/main";
  const server = given.server_url ?? "https://github.com";
  const api = given.api_url ?? "https://api.github.com";
  // A called workflow sees the event of its caller.
  const name = event === "workflow_call" ? "workflow_dispatch" : event;
  const actor = given.actor ?? "octocat";
  const context = {
    event_name: name,
    repository,
    repository_owner: repository.split("/")[0],
    repository_id: "1",
    repository_owner_id: "1",
    repository_visibility: "public",
    ref,
    ref_name: ref.replace(/^refs\/(heads|tags|pull)\//, ""),
    ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: false,
    base_ref: "",
    head_ref: "",
    sha: commit,
    actor,
    actor_id: "1",
    triggering_actor: actor,
    workflow: workflow.name,
    workflow_ref: `${repository}/${workflow.path}@${ref}`,
    workflow_sha: commit,
    run_id: "1",
    run_number: "1",
    run_attempt: "1",
    retention_days: "90",
    secret_source: "Actions",
    server_url: server,
    api_url: api,
    graphql_url: `${api}/graphql`,
    ...given,
  };
  const facts = {
    inputs,
    ref,
    path: workflow.path,
    schedule: scenario.schedule ?? workflow.events.schedule?.crons[0],
  };
  context.event = eventPayload(name, facts, payload, context);
  return context;
}
