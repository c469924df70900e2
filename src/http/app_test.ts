import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { type TestApi, testApi } from "../../tests/support/clients/api.ts";
import { createApp } from "./app.ts";
import type { App } from "./observe.ts";
import { ENDPOINTS } from "./routes.ts";
import { addInstallPages } from "./routes/servers/install.ts";

function listen(api: TestApi, app = api.app) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const { port } = server.addr as Deno.NetAddr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    headers: { Authorization: `Bearer ${api.admin.token}` },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Sends a request written by hand, line by line, and returns the response's status and body. */
async function exchange(port: number, lines: string[]): Promise<{ status: number; text: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode([...lines, "Connection: close", "", ""].join("\r\n")));
  const text = await new Response(connection.readable).text();
  return { status: Number(text.split(" ")[1]), text };
}

Deno.test("a missing path is reported in the API's error format; other methods and OPTIONS name the supported ones", async () => {
  await using api = await testApi();
  await using server = listen(api);
  const nothing = await fetch(`${server.url}/api/nothing`);
  assert.equal(nothing.status, 404);
  assert.deepEqual(await nothing.json(), {
    error: "Not Found",
    message: "Nothing exists at this address.",
  });

  const patched = await fetch(`${server.url}/api/tags/1`, { method: "PATCH" });
  assert.equal(patched.status, 405);
  assert.equal(patched.headers.get("allow"), "GET, PUT, DELETE, HEAD, OPTIONS");
  assert.equal((await patched.json()).error, "Method Not Allowed");

  const options = await fetch(`${server.url}/api/tags`, { method: "OPTIONS" });
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, POST, HEAD, OPTIONS"]);
  assert.equal(options.headers.get("access-control-allow-origin"), null);
});

Deno.test("HEAD answers as GET does, without the body", async () => {
  await using api = await testApi();
  await using server = listen(api);
  const got = await fetch(`${server.url}/api/tags`, { headers: server.headers });
  const head = await fetch(`${server.url}/api/tags`, { method: "HEAD", headers: server.headers });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-type"), "application/json");
  assert.equal(head.headers.get("content-length"), String((await got.text()).length));
  assert.equal(await head.text(), "");
});

/**
 * Returns many responses, each with a title: a success and a refusal of each endpoint, each page, and the
 * errors that occur before a route is chosen.
 */
async function everyAnswer(app: App, token: string): Promise<[title: string, answer: Response][]> {
  const from = { Origin: "https://evil.example" };
  const bearer = { ...from, Authorization: `Bearer ${token}` };
  const asked: [path: string, init: RequestInit][] = [
    ["/api/nothing", { headers: bearer }],
    ["/nothing", { headers: from }],
    ["/broken", { headers: from }],
    ["/install.sh", { headers: from }],
    ["/agent/SHA256SUMS", { headers: from }],
    ["/agent/a", { headers: from }],
    ["/agent/b", { headers: from }],
    ["/docs", { headers: from }],
    ["/docs/", { headers: from }],
    ["/docs/start.js", { headers: from }],
    ["/docs/swagger-ui.css", { headers: from }],
    ["/api/tags", { method: "PATCH", headers: bearer }],
    ["/api/tags", { method: "POST", headers: { ...bearer, "Content-Type": "application/json" }, body: "{" }],
    ["/api/tags", { method: "POST", headers: { ...bearer, "Content-Type": "text/plain" }, body: "x" }],
    ["/api/tags", {
      method: "POST",
      headers: { ...bearer, "Content-Type": "application/json" },
      body: JSON.stringify({ label: "x".repeat(2000) }),
    }],
  ];
  for (const { path, method } of ENDPOINTS) {
    const address = path.replaceAll(/\{\w+\}/g, "1");
    const preflight = {
      ...from,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "x-own",
    };
    asked.push(
      [address, { method: method.toUpperCase(), headers: bearer }],
      [address, { method: method.toUpperCase(), headers: from }],
      [address, { method: "OPTIONS", headers: preflight }],
    );
    if (method === "get") asked.push([address, { method: "HEAD", headers: bearer }]);
  }
  const answers: [string, Response][] = [];
  for (const [path, init] of asked) {
    const answer = await app.request(path, init);
    await answer.body?.cancel();
    answers.push([`${init.method ?? "GET"} ${path}: ${answer.status}`, answer]);
  }
  return answers;
}

Deno.test("every response has the headers that keep other sites out", async () => {
  await using api = await testApi();
  const path = await Deno.makeTempFile();
  const files = new Map([["a", { path, size: 0, sha256: "0" }]]);
  const options = {
    services: api.services,
    bodyLimit: 1000,
    pages: [
      addInstallPages({ files: { target: "x", all: () => Promise.resolve(files) }, publicUrl: null }),
      (app: App) =>
        void app.get("/broken", () => {
          throw new Error("inside");
        }),
    ],
  };
  const answers = await everyAnswer(createApp(options), api.admin.token);
  const statuses = new Set(answers.map(([, { status }]) => status));
  for (const status of [200, 204, 301, 400, 401, 404, 405, 413, 415, 422, 500]) {
    assert.ok(statuses.has(status), `no answer of ${status} was looked at`);
  }
  for (const [title, { headers }] of answers) {
    assert.equal(headers.get("x-content-type-options"), "nosniff", title);
    assert.equal(headers.get("x-frame-options"), "DENY", title);
    assert.equal(headers.get("referrer-policy"), "no-referrer", title);
    assert.equal(headers.get("cross-origin-resource-policy"), "same-origin", title);
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin", title);
    const policy = headers.get("content-security-policy")!.split("; ");
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'"]) {
      assert.ok(policy.includes(rule), title);
    }
    assert.doesNotMatch(policy.join(), /unsafe|\*|https?:/, title);
    assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("access-control-")), [], title);
    assert.equal(headers.get("strict-transport-security"), null, title);
    assert.equal(headers.get("set-cookie"), null, title);
    if (title.includes(" /api/")) assert.equal(headers.get("cache-control"), "no-store", title);
  }
  const secure = createApp({ ...options, publicUrl: "https://backups.example.com" });
  for (const [title, { headers }] of await everyAnswer(secure, api.admin.token)) {
    assert.match(headers.get("strict-transport-security") ?? "", /^max-age=\d{8,}$/, title);
  }
  await Deno.remove(path);
});

Deno.test("a body that does not arrive in time is refused", async () => {
  await using api = await testApi({ bodyTimeout: 50 });
  await using server = listen(api);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const head = [
    "POST /api/tags HTTP/1.1",
    "Host: x",
    `Authorization: ${server.headers.Authorization}`,
    "Content-Type: application/json",
    "Content-Length: 100",
    "",
    '{"label":',
  ];
  await connection.write(new TextEncoder().encode(head.join("\r\n")));
  // The client sends no more, so the response is to an incomplete request.
  const bytes = new Uint8Array(4096);
  const text = new TextDecoder().decode(bytes.subarray(0, (await connection.read(bytes))!));
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.match(text, /The request body did not arrive in time/);
});

Deno.test("a body nested deeper than any field is refused like any other wrong value", async () => {
  await using api = await testApi();
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]]) {
    const deep = `${open!.repeat(100_000)}1${close!.repeat(100_000)}`;
    const body = `{"label":${deep},"colour":"#112233"}`;
    const answer = await api.admin.call("POST", "/api/tags", body, { "Content-Type": "application/json" });
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, ["label"]]);
    const ids = `{"tag_ids":${deep}}`;
    const task = await api.admin.call("POST", "/api/backup-tasks", ids, {
      "Content-Type": "application/json",
    });
    assert.equal(task.status, 422);
  }
});

Deno.test("an invalid host is the caller's error", async () => {
  await using api = await testApi();
  await using server = listen(api);
  for (const host of ["[::bad", "a b<>", "x:999999"]) {
    const { status, text } = await exchange(server.port, ["GET /api/tags HTTP/1.1", `Host: ${host}`]);
    assert.equal(status, 400, host);
    assert.match(text, /The Host header is not valid/);
  }
});

Deno.test("a body over the limit is refused, with or without a Content-Length", async () => {
  await using api = await testApi({ bodyLimit: 1000 });
  await using server = listen(api);
  const init = { method: "POST", headers: { ...server.headers, "Content-Type": "application/json" } };
  const body = JSON.stringify({ label: "x".repeat(1000) });
  const told = await fetch(`${server.url}/api/tags`, { ...init, body });
  const streamed = await fetch(`${server.url}/api/tags`, { ...init, body: new Blob([body]).stream() });
  for (const response of [told, streamed]) {
    assert.equal(response.status, 413);
    assert.deepEqual(await response.json(), {
      error: "Payload Too Large",
      message: "The request body must not be larger than 1000 bytes.",
    });
  }
  assert.equal((await api.admin.call("GET", "/api/tags")).body.meta.total, 0);
});

Deno.test("an internal error is a 500 without details; its cause is in the log", async () => {
  await using api = await testApi();
  await using log = await recordLog();
  const app = createApp({
    services: api.services,
    pages: [(app) =>
      void app.get("/broken", () => {
        throw new Error("the cause inside");
      })],
  });
  const response = await app.request("/broken?with=query");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), {
    error: "Server Error",
    message: "An unexpected error occurred on the server; its log has the details.",
  });
  const [failure] = log.records.filter(({ level }) => level === "error");
  assert.equal((failure!.properties.error as Error).message, "the cause inside");
  assert.deepEqual([failure!.properties.method, failure!.properties.path], ["GET", "/broken"]);
});

Deno.test("the access log shows method, path, status and the request's id, and never a token or a query", async () => {
  await using api = await testApi();
  await using log = await recordLog();
  const { headers } = await api.admin.call("GET", "/api/tags?secret=hush");
  const [access] = log.records;
  assert.equal(access!.level, "debug");
  assert.deepEqual({ ...access!.properties, ms: 0 }, {
    method: "GET",
    path: "/api/tags",
    status: 422,
    ms: 0,
    request_id: headers.get("x-request-id"),
  });
  const everything = JSON.stringify(log.records);
  assert.ok(!everything.includes(api.admin.token) && !everything.includes("hush"));
});

Deno.test("a proxy's request id is kept if it is a UUID, and any other id is replaced", async () => {
  await using api = await testApi();
  const idOf = async (given: string) => {
    const { status, headers } = await api.admin.call("POST", "/api/tags", { label: given }, {
      "X-Request-Id": given,
    });
    assert.equal(status, 201);
    return headers.get("x-request-id")!;
  };
  assert.equal(await idOf("7C5FA2A04C524F2A8A4E0F4CB1D0A3C1"), "7c5fa2a0-4c52-4f2a-8a4e-0f4cb1d0a3c1");
  for (const other of ["from-a-proxy-1", "1-67891233-abcdef012345678912345678"]) {
    assert.match(await idOf(other), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
});

Deno.test("a client that disconnects within a body is not a server error", async () => {
  await using api = await testApi();
  await using log = await recordLog();
  await using server = listen(api);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const head = [
    "POST /api/tags HTTP/1.1",
    "Host: x",
    `Authorization: ${server.headers.Authorization}`,
    "Content-Type: application/json",
    "Content-Length: 100",
  ];
  await connection.write(new TextEncoder().encode([...head, "", '{"label":'].join("\r\n")));
  connection.close();
  const [record] = await log.first;
  assert.deepEqual([record!.level, record!.properties.status], ["debug", 400]);
});

/**
 * Records what the HTTP layer logs, until the returned object is disposed. `first` resolves with the records
 * once there is one.
 */
async function recordLog() {
  const records: LogRecord[] = [];
  const { promise: first, resolve } = Promise.withResolvers<LogRecord[]>();
  await configure({
    reset: true,
    sinks: {
      records(record) {
        records.push(record);
        resolve(records);
      },
    },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: [] },
      { category: ["rearguard", "http"], lowestLevel: "debug", sinks: ["records"] },
    ],
  });
  return { records, first, [Symbol.asyncDispose]: () => reset() };
}
