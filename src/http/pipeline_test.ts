import assert from "node:assert/strict";
import fc from "fast-check";
import { testApi } from "../../tests/support/clients/api.ts";
import { ENDPOINTS } from "./routes.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const JSON_TYPE = { "Content-Type": "application/json" };

Deno.test("without a valid token: 401, the authentication scheme, and nothing else", async () => {
  await using api = await testApi();
  const { token } = api.admin;
  const wrong = [
    undefined,
    "",
    token,
    `Basic ${token}`,
    "Bearer",
    "Bearer ",
    `Bearer ${token}x`,
    "Bearer rg_x y",
  ];
  for (const authorization of wrong) {
    const headers: HeadersInit = authorization === undefined ? {} : { Authorization: authorization };
    for (const path of ["/api/tags", "/api/tags/x", "/api/user"]) {
      const response = await api.app.request(path, { headers });
      assert.equal(response.status, 401, `${authorization} ${path}`);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      assert.deepEqual(await response.json(), { message: "Unauthenticated." });
    }
  }
  const lower = await api.app.request("/api/tags", { headers: { Authorization: `bearer ${token}` } });
  assert.equal(lower.status, 200);
});

Deno.test("a call outside the token's abilities names the missing one, before any of its content is checked", async () => {
  await using api = await testApi();
  const { call } = await api.user(["view-backup-tasks"]);
  for (const path of ["/api/tags/1", "/api/tags/x"]) {
    const answer = await call("PUT", path, "{", JSON_TYPE);
    assert.deepEqual([answer.status, answer.body], [403, {
      error: "Forbidden",
      message: "This token lacks the manage-tags ability.",
    }]);
  }
});

Deno.test("an id that is not a number gets the same response as an unknown id", async () => {
  await using api = await testApi();
  for (
    const id of [
      "x",
      "0",
      "-1",
      "1.5",
      "1e3",
      "99999999999999999999",
      "9007199254740993",
      "%00",
      "%ff",
      "1%2F2",
    ]
  ) {
    const answer = await api.admin.call("GET", `/api/tags/${id}`);
    assert.deepEqual(
      [answer.status, answer.body],
      [404, { error: "Not Found", message: "Tag not found" }],
      id,
    );
  }
});

Deno.test("bodies that can't be read: 400 for broken ones, 415 for other types", async () => {
  await using api = await testApi();
  const cases: [status: number, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>][] = [
    [400, "{", JSON_TYPE],
    [400, '{"label":}', JSON_TYPE],
    [400, "[]", JSON_TYPE],
    [400, "null", JSON_TYPE],
    [400, '"label"', JSON_TYPE],
    [400, "[".repeat(500_000), JSON_TYPE],
    [400, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), JSON_TYPE],
    [400, "label=%ff", FORM],
    [400, "a[b][c][d][e][f][g]=1", FORM],
    [415, "label=x", {}],
    [415, "label", { "Content-Type": "text/plain" }],
    [415, "<label/>", { "Content-Type": "application/xml" }],
    [415, "x", { "Content-Type": "multipart/form-data; boundary=x" }],
    [415, "{}", { "Content-Type": "application/json; charset=utf-16" }],
    [415, "{}", { ...JSON_TYPE, "Content-Encoding": "gzip" }],
  ];
  for (const [status, body, headers] of cases) {
    for (const [method, path] of [["POST", "/api/tags"], ["PUT", "/api/tags/1"]]) {
      const response = await api.app.request(path!, {
        method,
        body: typeof body === "string" ? new TextEncoder().encode(body) : body,
        headers: { Authorization: `Bearer ${api.admin.token}`, ...headers },
      });
      const answer = await response.json();
      assert.equal(response.status, status, `${String(body).slice(0, 40)} ${JSON.stringify(answer)}`);
      assert.deepEqual(Object.keys(answer), ["error", "message"]);
    }
  }
  assert.equal((await api.admin.call("GET", "/api/tags")).body.meta.total, 0);
});

Deno.test("a body may be absent if all its fields may be, or if the endpoint has none", async () => {
  await using api = await testApi();
  const empty = await api.admin.call("POST", "/api/tags");
  assert.deepEqual([empty.status, empty.body.errors], [422, { label: ["The label field is required."] }]);
  const { id } = (await api.admin.call("POST", "/api/tags", { label: "x" })).body.data;
  assert.equal((await api.admin.call("PUT", `/api/tags/${id}`)).body.data.label, "x");
  assert.equal((await api.admin.call("DELETE", `/api/tags/${id}`, "", JSON_TYPE)).status, 200);
});

Deno.test("unknown fields are ignored, however they are named", async () => {
  await using api = await testApi();
  const body =
    '{"label":"x","id":99,"user_id":7,"__proto__":{"colour":"red"},"constructor":1,"nested":{"deep":[]}}';
  const created = await api.admin.call("POST", "/api/tags", body, JSON_TYPE);
  assert.equal(created.status, 201);
  assert.notEqual(created.body.data.id, 99);
  assert.deepEqual([created.body.data.user_id, created.body.data.colour], [api.admin.userId, null]);
});

Deno.test("a form works like JSON, with lists and nested fields", async () => {
  await using api = await testApi();
  const stream = await api.admin.call(
    "POST",
    "/api/notification-streams",
    "label=On+call&type=email&value=ops%40example.com&notifications[on_success]=0&notifications%5Bon_failure%5D=true",
    FORM,
  );
  assert.deepEqual(stream.body.data?.notifications, { on_success: false, on_failure: true });
  for (
    const list of [
      "abilities[]=manage-tags&abilities[]=run-backup-tasks",
      "abilities[1]=run-backup-tasks&abilities[0]=manage-tags",
    ]
  ) {
    const token = await api.admin.call("POST", "/api/tokens", `name=x&${list}`, FORM);
    assert.deepEqual(token.body.data?.abilities, ["manage-tags", "run-backup-tasks"]);
  }
  const tag = await api.admin.call("POST", "/api/tags", "label=x&description=&colour=", FORM);
  assert.deepEqual([tag.body.data.description, tag.body.data.colour], [null, null]);
});

Deno.test("errors have the name of the field as sent, nested ones with a dot", async () => {
  await using api = await testApi();
  const answer = await api.admin.call("POST", "/api/notification-streams?page=x", {
    label: ["no"],
    notifications: { on_success: "perhaps", on_failure: 2 },
  });
  assert.deepEqual(answer.body.errors, {
    label: ["The label field must be a string."],
    type: ["The type field is required."],
    value: ["The value field is required."],
    "notifications.on_success": ["The notifications.on success field must be true or false."],
    "notifications.on_failure": ["The notifications.on failure field must be true or false."],
  });
});

Deno.test("a blank counts as absent if text is required", async () => {
  await using api = await testApi();
  for (const label of ["", "   ", null, "\t\n"]) {
    const answer = await api.admin.call("POST", "/api/tags", { label });
    assert.deepEqual(answer.body.errors, { label: ["The label field is required."] });
  }
});

Deno.test("text that cannot be stored is refused with the name of its field", async () => {
  await using api = await testApi();
  const answer = await api.admin.call(
    "POST",
    "/api/tags",
    '{"label":"a\\u0000b","description":"\\ud800"}',
    JSON_TYPE,
  );
  assert.equal(answer.status, 422);
  assert.deepEqual(Object.keys(answer.body.errors), ["label", "description"]);
  assert.equal((await api.admin.call("GET", "/api/tags?per_page=%00")).status, 422);
  assert.equal((await api.admin.call("POST", "/api/tags", { label: "a\nb" })).status, 422);
});

Deno.test("255 characters fit, whatever they are made of", async () => {
  await using api = await testApi();
  const label = "🦊".repeat(255);
  assert.equal((await api.admin.call("POST", "/api/tags", { label })).body.data.label, label);
  assert.equal((await api.admin.call("POST", "/api/tags", { label: `${label}x` })).status, 422);
});

Deno.test("no body causes a server error, at any endpoint", async () => {
  await using api = await testApi();
  const { call, userId } = api.admin;
  const now = api.clock.now();
  // Creates the records that the ids in the paths refer to.
  await call("POST", "/api/tags", { label: "x" });
  await call("POST", "/api/notification-streams", { label: "x", type: "email", value: "a@example.com" });
  await api.database`
    insert into remote_servers (user_id, label, ip_address, created_at, updated_at)
    values (${userId}, 's', '192.0.2.1', ${now}, ${now})`;
  await api.database`
    insert into backup_destinations (user_id, label, type, created_at, updated_at)
    values (${userId}, 'd', 'local', ${now}, ${now})`;
  const hostile = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.string({ unit: "binary" }),
    fc.constantFrom<unknown>(
      "\0",
      "\ud800",
      1e400,
      -0,
      2 ** 31,
      2 ** 63,
      "9".repeat(400),
      "1e400",
      true,
      "",
      [],
      {},
      1,
    ),
  );
  const endpoints = ENDPOINTS.filter(({ body, access, path }) =>
    body !== undefined && access !== "public" && !path.endsWith("/check") // a check waits for an agent
  );
  const request = fc.nat(endpoints.length - 1).chain((index) => {
    const fields = Object.keys(endpoints[index]!.body!.schema.shape);
    const changes = fc.dictionary(fc.constantFrom(...fields), hostile, { maxKeys: 4 });
    return fc.tuple(fc.constant(index), changes, fc.boolean());
  });
  await fc.assert(
    fc.asyncProperty(request, async ([index, changes, isForm]) => {
      const endpoint = endpoints[index]!;
      const example = endpoint.body!.example as Record<string, unknown>;
      const ids = Object.keys(example).filter((name) => name.endsWith("_id")).map((name) => [name, 1]);
      const sent = { ...example, ...Object.fromEntries(ids), ...changes };
      const text = isForm ? formOf(sent) : JSON.stringify(sent);
      const path = endpoint.path.replace("{id}", "1");
      const answer = await call(endpoint.method.toUpperCase(), path, text, isForm ? FORM : JSON_TYPE);
      assert.ok(answer.status < 500, `${endpoint.operationId} ${text}: ${answer.status}`);
      assert.notEqual(answer.body.message, "The request contains a value that can't be stored.", text);
    }),
    { numRuns: 600 },
  );
});

function formOf(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(formText(value))}`).join("&");
}

function formText(value: unknown): string {
  return (typeof value === "string" ? value : JSON.stringify(value) ?? "").toWellFormed();
}

Deno.test("no query causes a server error", async () => {
  await using api = await testApi();
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.integer().map(String),
    fc.constant("9".repeat(30)),
  );
  await fc.assert(
    fc.asyncProperty(value, value, async (page, perPage) => {
      const query = new URLSearchParams({ page: page.toWellFormed(), per_page: perPage.toWellFormed() });
      const answer = await api.admin.call("GET", `/api/tags?${query}`);
      assert.ok([200, 422].includes(answer.status), `${query}: ${answer.status}`);
    }),
    { numRuns: 200 },
  );
});
