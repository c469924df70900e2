import assert from "node:assert/strict";
import { type ApiClient, testApi } from "../../../tests/support/clients/api.ts";
import { newDestination, newServer } from "../../../tests/support/fixtures/records.ts";
import { ENDPOINTS } from "../routes.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

async function taskFields(client: ApiClient) {
  return {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
    label: "Site",
    type: "files",
    source_path: "/srv",
    frequency: "daily",
    time_to_run_at: "02:00",
  };
}

Deno.test("a misspelt field is refused, naming the one that was meant, and nothing is stored", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const fields = await taskFields(api.admin);
  for (
    const [name, meant] of [
      ["encryption_pasword", "encryption_password"],
      ["encryptionPassword", "encryption_password"],
      ["encryption_key", "encryption_password"],
      ["encryption_recipient", "encryption_recipients"],
      ["keep_dayly", "keep_daily"],
      ["exclude_paths", "excluded_paths"],
    ] as const
  ) {
    const { status, body } = await call("POST", "/api/backup-tasks", { ...fields, [name]: "x" });
    assert.deepEqual([status, Object.keys(body.errors)], [422, [name]], name);
    assert.equal(body.errors[name][0], `The field ${name} is not known. Did you mean ${meant}?`);
  }
  assert.equal((await call("GET", "/api/backup-tasks")).body.meta.total, 0);
});

Deno.test("an update, a form and a nested object are held to their fields as well", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const task = (await call("POST", "/api/backup-tasks", await taskFields(api.admin))).body.data.id;
  const update = await call("PUT", `/api/backup-tasks/${task}`, "encryption_pasword=x", FORM);
  assert.deepEqual([update.status, Object.keys(update.body.errors)], [422, ["encryption_pasword"]]);
  const stream = { label: "On call", type: "email", value: "jo@example.test" };
  const nested = await call("POST", "/api/notification-streams", {
    ...stream,
    notifications: { on_failures: true, colour: "red" },
  });
  assert.deepEqual(nested.body.errors, {
    "notifications.on_failures": [
      "The field notifications.on_failures is not known. Did you mean notifications.on_failure?",
    ],
  });
  const form = "label=On+call&type=email&value=jo%40example.test&notifications[colour]=red";
  const { status, body } = await call("POST", "/api/notification-streams", form, FORM);
  assert.deepEqual([status, body.warnings], [201, [
    "The field notifications.colour was ignored: this operation has no such field.",
  ]]);
});

Deno.test("other fields are ignored and listed; a record sent back as it was shown is one warning", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  // The task has a stream, because the API would warn about a task without a stream.
  const stream = await call("POST", "/api/notification-streams", {
    label: "Mail",
    type: "email",
    value: "ops@example.test",
    notifications: { on_success: false, on_failure: true },
  });
  const made = await call("POST", "/api/backup-tasks", {
    ...await taskFields(api.admin),
    notification_stream_ids: [stream.body.data.id],
    made_by: "ansible",
  });
  assert.deepEqual([made.status, made.body.warnings], [201, [
    "The field made_by was ignored: this operation has no such field.",
  ]]);
  const task = made.body.data;
  const back = await call("PUT", `/api/backup-tasks/${task.id}`, task);
  assert.equal(back.status, 200, JSON.stringify(back.body));
  assert.match(back.body.warnings[0], /^Read-only fields were ignored: id, user_id, .*\bsource, /);
  assert.equal(back.body.warnings.length, 1);
  const known = await call("PUT", `/api/backup-tasks/${task.id}`, { label: "Web" });
  assert.ok(!("warnings" in known.body));
  const pause = await call("POST", `/api/backup-tasks/${task.id}/pause`, { until: "tomorrow" });
  assert.deepEqual([pause.status, pause.body.warnings.length], [200, 1]);
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`${at}:x`, 1]));
  const flooded = await call("PUT", `/api/backup-tasks/${task.id}`, many);
  assert.equal(flooded.body.warnings.length, 51);
});

Deno.test("a parameter that an operation does not know, or that is there twice, is refused", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const lists = ENDPOINTS.filter(({ method, query, access }) =>
    method === "get" && query !== undefined && access !== "agent" && access !== "public"
  );
  assert.ok(lists.length > 10);
  for (const { path } of lists) {
    const { status, body } = await call("GET", `${path.replaceAll("{id}", "1")}?colour=red`);
    assert.deepEqual([status, body.errors?.colour?.length], [422, 1], path);
  }
  const near = await call("GET", "/api/tags?perpage=5");
  assert.match(near.body.errors.perpage[0], /Did you mean per_page\?/);
  assert.equal((await call("GET", "/api/tags?page=1&page=2")).status, 422);
  assert.equal((await call("GET", "/api/tags?page=%ff")).status, 400);
  assert.equal((await call("DELETE", "/api/backup-tasks/1?with_backup=1")).status, 422);
  const tag = await call("POST", "/api/tags?colour=red", { label: "a" });
  assert.deepEqual([tag.status, tag.body.warnings], [201, [
    "The query parameter colour was ignored: this operation takes none.",
  ]]);
});

Deno.test("a field that a body gives twice is refused, wherever it is nested, and nothing is stored", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const JSON_TEXT = { "Content-Type": "application/json" };
  const text = JSON.stringify(await taskFields(api.admin)).slice(0, -1);
  for (
    const [second, path] of [
      ['"encryption_password":"pass","encryption_password":null', "encryption_password"],
      ['"encryption_password":"pass","encryption\\u005fpassword":""', "encryption_password"],
      ['"label":"Other"', "label"],
      ['"a":[{"b":1},{"b":1,"c":{"d\\"":[{}],"d\\"":2}}],"e":"{\\"a\\":1"', 'a.1.c.d"'],
    ] as const
  ) {
    const { status, body } = await call("POST", "/api/backup-tasks", `${text},${second}}`, JSON_TEXT);
    assert.deepEqual([status, body.errors], [422, { [path]: [`The ${path} field must be given once.`] }]);
  }
  const form = "label=A&type=email&value=jo%40example.test&notifications[on_failure]=1";
  for (
    const [second, path] of [
      ["notifications%5Bon_failure%5D=0", "notifications.on_failure"],
      ["value=eve%40example.test", "value"],
      ["label[a]=1", "label.a"],
    ] as const
  ) {
    const { status, body } = await call("POST", "/api/notification-streams", `${form}&${second}`, FORM);
    assert.deepEqual([status, body.errors], [422, { [path]: [`The ${path} field must be given once.`] }]);
  }
  assert.equal((await call("GET", "/api/backup-tasks")).body.meta.total, 0);
  assert.equal((await call("GET", "/api/notification-streams")).body.meta.total, 0);
  const lists = `label=A&type=email&value=jo%40example.test&notifications[on_failure]=1`;
  assert.equal((await call("POST", "/api/notification-streams", lists, FORM)).status, 201);
  const tokens = "name=A&abilities[]=manage-tags&abilities[]=view-remote-servers";
  assert.deepEqual((await call("POST", "/api/tokens", tokens, FORM)).body.data.abilities.length, 2);
  const deep = `{"label":"Deep","x":${'[{"a":'.repeat(90_000)}1${"}]".repeat(90_000)}}`;
  assert.equal((await call("POST", "/api/tags", deep, JSON_TEXT)).status, 201);
});

Deno.test("a restore ignores no field and no parameter: it would overwrite something else", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  for (
    const [name, hint] of [
      ["target", "this operation ignores none. The known fields are: remote_server_id, target_path, paths, "],
      ["files", "this operation ignores none. The known fields are: "],
      ["dry_run", "this operation ignores none. The known fields are: "],
      ["path", "Did you mean paths?"],
      ["targetPath", "Did you mean target_path?"],
    ] as const
  ) {
    const { status, body } = await call("POST", "/api/backups/1/restore", { overwrite: true, [name]: "/x" });
    assert.deepEqual([status, Object.keys(body.errors)], [422, [name]], name);
    assert.ok(body.errors[name][0].includes(hint), body.errors[name][0]);
  }
  const query = await call("POST", "/api/backups/1/restore?target_path=/srv/new", { overwrite: true });
  assert.deepEqual([query.status, query.body.errors], [422, {
    target_path: ["The query parameter target_path is not known. This operation takes none."],
  }]);
  assert.equal((await call("POST", "/api/backups/1/restore", { paths: ["a"] })).status, 404);
});
