import assert from "node:assert/strict";
import { testApi } from "../../tests/support/clients/api.ts";
import {
  type Answer,
  type ApiClient,
  apiClient,
  type Body,
  type DataOf,
  type Failure,
  type InputArgument,
  type Query,
  type RowOf,
  type Schema,
} from "./client.ts";

/** True if both types are the same, otherwise false. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

// The compiler refuses `true` where a type is not as expected.
const SAME: [
  Same<Answer<"/api/overview">["data"], Schema<"Overview">>,
  Same<Answer<"/api/backup-tasks">["data"], Schema<"BackupTask">[]>,
  Same<Answer<"/api/backup-tasks">["meta"], Schema<"PageMeta">>,
  Same<Answer<"/api/tags", "post">["data"], Schema<"Tag">>,
  Same<Answer<"/api/backup-task-logs/{id}/stream">, never>,
  Same<Body<"/api/backup-tasks">, Schema<"NewBackupTask">>,
  Same<Body<"/api/backup-tasks/{id}", "put">, Schema<"BackupTaskChanges">>,
  Same<Body<"/api/backup-tasks/{id}/pause">, never>,
  Same<NonNullable<Query<"/api/backup-tasks">["status"]>, "ready" | "running" | "paused">,
  Same<Query<"/api/overview">, never>,
  Same<DataOf<"/api/overview">, Schema<"Overview">>,
  Same<RowOf<"/api/backups">, Schema<"Backup">>,
  Same<Schema<"BackupTaskLog">["backup_task"], Schema<"NamedRecord"> | null>,
  Same<NonNullable<Failure["errors"]>, { [field: string]: string[] }>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true];

/** Calls that must not compile. An `@ts-expect-error` before a call that compiles is an error itself. */
function _refused(client: ApiClient) {
  // @ts-expect-error: a misspelt path
  client.GET("/api/tag");
  // @ts-expect-error: a misspelt parameter beside a right one
  client.GET("/api/tags", { params: { query: { page: 1, srot: "id" } } });
  // @ts-expect-error: no id
  client.GET("/api/tags/{id}");
  // @ts-expect-error: no body
  client.POST("/api/tags");
  // @ts-expect-error: a misspelt field beside a right one
  client.POST("/api/tags", { body: { label: "mine", color: "#fff" } });
  const input: InputArgument<"/api/tags/{id}", "get"> = [{ id: 1 }];
  // @ts-expect-error: a name that the path does not have
  const wrong: InputArgument<"/api/tags/{id}", "get"> = [{ tag: 1 }];
  return [input, wrong];
}

Deno.test("a client in the same process calls the API with its types", async () => {
  assert.ok(SAME.every((same) => same));
  await using api = await testApi();
  const owner = await api.user();
  const client = apiClient({
    baseUrl: "http://localhost",
    fetch: async (request) => await api.app.fetch(request),
    headers: { authorization: `Bearer ${owner.token}` },
  });
  const created = await client.POST("/api/tags", { body: { label: "mine" } });
  const { id } = created.data!.data;
  const tag = await client.GET("/api/tags/{id}", { params: { path: { id } } });
  assert.equal(tag.data?.data.label, "mine");
  const listed = await client.GET("/api/tags", { params: { query: { per_page: 1, sort: "-id" } } });
  assert.deepEqual([listed.data?.data.length, listed.data?.meta.per_page], [1, 1]);
});

Deno.test("a call of the client resolves to the error of an unsuccessful response", async () => {
  await using api = await testApi();
  const { token } = await api.user();
  const client = apiClient({
    baseUrl: "http://localhost",
    fetch: async (request) => await api.app.fetch(request),
    headers: { authorization: `Bearer ${token}` },
  });
  const invalid = await client.POST("/api/tags", { body: { label: "" } });
  assert.equal(invalid.response.status, 422);
  assert.deepEqual(Object.keys(invalid.error?.errors ?? {}), ["label"]);
  const absent = await client.GET("/api/tags/{id}", { params: { path: { id: 987_654 } } });
  assert.deepEqual([absent.response.status, absent.error?.message], [404, "Tag not found"]);
});

Deno.test("the error page of a proxy becomes an error with a message", async () => {
  const page = new Response("<h1>Bad gateway</h1>", {
    status: 502,
    headers: { "content-type": "text/html" },
  });
  const client = apiClient({ baseUrl: "http://localhost", fetch: () => Promise.resolve(page) });
  const { error, response } = await client.GET("/api/overview");
  assert.equal(response.status, 502);
  assert.equal(error?.message, "The control plane cannot be reached: the answer was 502.");
});
