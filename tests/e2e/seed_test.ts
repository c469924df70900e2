/**
 * Sends every request of the original API contract to a live server. Compares the responses field by field,
 * including ids, times and URLs. Requests and expected responses are parsed from the contract's text.
 */
import assert from "node:assert/strict";
import { claimAssignments } from "../../src/services/runs/dispatch.ts";
import { recordEvents } from "../../src/services/runs/run_events.ts";
import { type ApiClient, type TestApi, testApi } from "../support/clients/api.ts";
import { event, output, success } from "../support/clients/events.ts";
import { newDestination, newServer } from "../support/fixtures/records.ts";

interface Section {
  method: string;
  path: string;
  // deno-lint-ignore no-explicit-any
  request: any;
  // deno-lint-ignore no-explicit-any
  response: any;
}

/** Splits the contract into sections, by heading. */
function parse(document: string): Record<string, Section> {
  const sections: Record<string, Section> = {};
  for (const part of document.split(/^## /m).slice(1)) {
    const [title] = part.split("\n", 1);
    const [, method = "", path = ""] = /^\*\*([A-Z]+)\*\* `(.+)`$/m.exec(part) ?? [];
    const block = (heading: string) => {
      const json = new RegExp(`${heading}[^\`]*\`\`\`json\n([^\`]*)\`\`\``).exec(part)?.[1];
      return json === undefined ? undefined : JSON.parse(json);
    };
    sections[title!] = { method, path, request: block("### Request Body"), response: block("### Response") };
    if (method === "") sections[title!]!.response = block("");
  }
  return sections;
}

const seed = parse(await Deno.readTextFile(new URL("../fixtures/backup-task-endpoints.md", import.meta.url)));

/** Asserts that the response contains the expected fields with the same values. Ignores additional fields. */
function assertHolds(actual: unknown, expected: unknown, where: string): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), where);
    assert.equal(actual.length, expected.length, where);
    expected.forEach((item, index) => assertHolds(actual[index], item, `${where}[${index}]`));
  } else if (typeof expected === "object" && expected !== null) {
    assert.ok(typeof actual === "object" && actual !== null, where);
    for (const [name, value] of Object.entries(expected)) {
      assert.ok(name in actual, `${where}.${name} is missing`);
      assertHolds((actual as Record<string, unknown>)[name], value, `${where}.${name}`);
    }
  } else {
    assert.equal(actual, expected, where);
  }
}

interface Live extends AsyncDisposable {
  api: TestApi;
  client: ApiClient;
  /** Sends a section's request and compares the response. */
  follow(title: string, id?: number, status?: number): Promise<void>;
}

/**
 * Creates the state with which the contract starts: the contract's first user, its server 2 and its
 * destination 1. Sets the clock to the contract's first time.
 */
async function live(): Promise<Live> {
  const api = await testApi({ publicUrl: "http://example.com" });
  await api.clock.set("2024-08-07T00:00:00Z");
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, api.app.fetch);
  const client = api.admin;
  await newServer(client);
  assert.deepEqual([await newServer(client), await newDestination(client), client.userId], [2, 1, 1]);
  return {
    api,
    client,
    async follow(title, id, status = 200) {
      const { method, path, request, response } = seed[title]!;
      const answer = await fetch(`http://127.0.0.1:${server.addr.port}${path.replace("{id}", String(id))}`, {
        method,
        headers: {
          Authorization: `Bearer ${client.token}`,
          ...(request === undefined ? {} : { "Content-Type": "application/json" }),
        },
        body: request === undefined ? undefined : JSON.stringify(request),
      });
      const body = await answer.json();
      assert.equal(answer.status, status, `${title}: ${JSON.stringify(body)}`);
      assertHolds(body, response, title);
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** Creates the contract's task 1. The contract shows this task, but has no request that creates it. */
async function createFirstTask({ client }: Live): Promise<void> {
  const { source, schedule, storage, ...shown } = seed["Show Backup Task"]!.response.data;
  const { status, body } = await client.call("POST", "/api/backup-tasks", {
    remote_server_id: shown.remote_server_id,
    backup_destination_id: shown.backup_destination_id,
    label: shown.label,
    description: shown.description,
    type: source.type,
    source_path: source.path,
    database_name: source.database_name,
    excluded_database_tables: source.excluded_tables,
    frequency: schedule.frequency,
    time_to_run_at: schedule.time,
    maximum_backups_to_keep: storage.max_backups,
    appended_file_name: storage.appended_filename,
    store_path: storage.path,
    isolated_username: "backup",
    isolated_password: "secret",
  });
  assert.deepEqual([status, body.data?.id], [201, 1]);
}

Deno.test("the document has the sections that these tests follow", () => {
  assert.deepEqual(Object.keys(seed), [
    "List Backup Tasks",
    "Create Backup Task",
    "Show Backup Task",
    "Update Backup Task",
    "Delete Backup Task",
    "Get Backup Task Status",
    "Get Latest Backup Task Log",
    "Run Backup Task",
    "Error Responses",
  ]);
  for (const [title, { response }] of Object.entries(seed)) assert.ok(response !== undefined, title);
});

Deno.test("list, show, create, update and delete answer as the document says", async () => {
  await using world = await live();
  const { api, follow } = world;
  await createFirstTask(world);
  await follow("List Backup Tasks");
  await follow("Show Backup Task", 1);
  await follow("Create Backup Task", undefined, 201);
  await api.clock.set("2024-08-07T01:00:00Z");
  await follow("Update Backup Task", 2);
  await follow("Delete Backup Task", 2);
  await follow("Get Backup Task Status", 1);
});

Deno.test("a run, its status and its log answer as the document says", async () => {
  await using world = await live();
  const { api, follow } = world;
  const { services } = api;
  await createFirstTask(world);
  await api.clock.set("2024-08-07T01:00:00Z");
  await follow("Run Backup Task", 1, 202);
  const [run] = await claimAssignments(services, [2]);
  const text = seed["Get Latest Backup Task Log"]!.response.data.output;
  await recordEvents(services, [event(2, run!, 1, { kind: "accepted" }), event(2, run!, 2, output(text))]);
  await api.clock.set("2024-08-07T02:00:00Z");
  await recordEvents(services, [event(2, run!, 3, success())]);
  await follow("Get Latest Backup Task Log", 1);
  await follow("Get Backup Task Status", 1);
});

Deno.test("what is not there answers as the document says", async () => {
  await using api = await testApi();
  const expected = seed["Error Responses"]!.response;
  for (const { method, path, request } of Object.values(seed).filter(({ path }) => path.includes("{id}"))) {
    const { status, body } = await api.admin.call(method, path.replace("{id}", "999"), request);
    assert.deepEqual([status, body], [404, expected], `${method} ${path}`);
  }
});
