import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";

Deno.test("a tag is created, shown, changed, listed and deleted", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user(["manage-tags"]);

  const created = await call("POST", "/api/tags", { label: " Live ", colour: "#FF0000" });
  assert.equal(created.status, 201);
  const { id } = created.body.data;
  assert.deepEqual(created.body.data, {
    id,
    user_id: userId,
    label: "Live",
    description: null,
    colour: "#ff0000",
    created_at: "2026-01-05T12:00:00Z",
    updated_at: "2026-01-05T12:00:00Z",
  });

  await api.clock.advance(5_000);
  const changed = await call("PUT", `/api/tags/${id}`, { description: "d", colour: null });
  assert.equal(changed.status, 200);
  assert.deepEqual(changed.body.data, {
    ...created.body.data,
    description: "d",
    colour: null,
    updated_at: "2026-01-05T12:00:05Z",
  });
  assert.deepEqual((await call("GET", `/api/tags/${id}`)).body, changed.body);
  assert.deepEqual((await call("GET", "/api/tags")).body.data, [changed.body.data]);

  const deleted = await call("DELETE", `/api/tags/${id}`);
  assert.deepEqual([deleted.status, deleted.body], [200, {
    message: "Tag successfully deleted",
    deletes_at: "2026-01-08T12:00:05Z",
  }]);
  const gone = await call("GET", `/api/tags/${id}`);
  assert.deepEqual([gone.status, gone.body], [404, { error: "Not Found", message: "Tag not found" }]);
});

Deno.test("every wrong field of a tag is named at once, and nothing is stored", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const answer = await call("POST", "/api/tags", { label: "x".repeat(256), description: 3, colour: "red" });
  assert.equal(answer.status, 422);
  assert.deepEqual(answer.body, {
    error: "Validation Error",
    message: "The given data was invalid.",
    errors: {
      label: ["The label field must not be longer than 255 characters."],
      description: ["The description field must be a string."],
      colour: ["The colour field must be a colour such as #1f2937."],
    },
  });
  assert.equal((await call("GET", "/api/tags")).body.meta.total, 0);
});

Deno.test("somebody else's tag is one that does not exist", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  const { id } = (await owner.call("POST", "/api/tags", { label: "mine" })).body.data;
  for (
    const [method, body] of [["GET"], ["PUT", { label: "theirs" }], ["DELETE"]] as [string, unknown?][]
  ) {
    const answer = await other.call(method, `/api/tags/${id}`, body);
    assert.deepEqual([answer.status, answer.body.message], [404, "Tag not found"]);
  }
  assert.equal((await other.call("GET", "/api/tags")).body.meta.total, 0);
  assert.equal((await owner.call("GET", `/api/tags/${id}`)).body.data.label, "mine");
});
