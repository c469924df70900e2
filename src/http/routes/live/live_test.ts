import assert from "node:assert/strict";
import { openContext } from "../../../services/open_context.ts";
import { openEventBus } from "../../../store/database/event_bus.ts";
import { kindsIn } from "../../../services/live/live_changes.ts";
import { createApp } from "../../app.ts";
import { addWebPages } from "../../../web/pages.ts";
import { type ApiClient, type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { LiveStream } from "../../../../tests/support/clients/live.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newOutput, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { until } from "../../../../tests/support/assertions/until.ts";

const follow = (api: TestApi, client: ApiClient, query = "", headers: Record<string, string> = {}) =>
  LiveStream.open(api.app, { Authorization: `Bearer ${client.token}`, ...headers }, `/api/live${query}`);

let tags = 0;
const newTag = (client: ApiClient) => client.call("POST", "/api/tags", { label: `tag ${++tags}` });

Deno.test("a page is told to refresh at first, then which kinds change in its own workspace", async () => {
  await using api = await testApi();
  const [client, other] = [await api.user(), await api.user()];
  await using mine = await follow(api, client);
  await using theirs = await follow(api, other);
  assert.equal(mine.response.headers.get("content-type"), "text/event-stream");
  assert.equal(mine.names[0], "refresh");
  await newTag(client);
  await mine.has("tasks");
  assert.deepEqual(mine.events.find(({ event }) => event === "tasks"), {
    event: "tasks",
    id: undefined,
    data: {},
  });
  await other.call("POST", "/api/remote-servers", { label: "web", ip_address: "192.0.2.9" });
  await theirs.has("servers");
  assert.deepEqual(theirs.names.filter((name) => name === "tasks"), []);
  assert.ok(!mine.names.includes("servers"));
});

Deno.test("a kind is reported at most once a second, and the last change is never lost", async () => {
  await using api = await testApi();
  const client = await api.user();
  await using stream = await follow(api, client);
  await newTag(client);
  await stream.has("tasks");
  for (let n = 0; n < 5; n++) await newTag(client);
  await client.call("POST", "/api/remote-servers", { label: "web", ip_address: "192.0.2.9" });
  await stream.has("servers");
  assert.equal(stream.count("tasks"), 1);
  await api.clock.advance(1000);
  // The first report was sent in the second that has just ended. So the next report is sent at the end of the
  // second that begins now.
  assert.equal(stream.count("tasks"), 1);
  await api.clock.advance(1000);
  await stream.has("tasks", 2);
  for (let second = 0; second < 5; second++) await api.clock.advance(1000);
  assert.equal(stream.count("tasks"), 2);
  await newTag(client);
  await stream.has("tasks", 3);
});

Deno.test("of many pages, 100 a second are told of a change, each in its turn, and none is left out", async () => {
  await using api = await testApi({ streamLimit: 250 });
  const client = await api.user();
  const told = Array<number>(250).fill(0);
  const leave = told.map((_, n) =>
    api.services.live.follow(client, {
      changed: (kinds) => void (told[n]! += kindsIn(kinds).includes("tasks") ? 1 : 0),
      tick() {},
      stop() {},
    })
  );
  const sum = () => told.reduce((all, each) => all + each, 0);
  await newTag(client);
  const sums = [sum()];
  await until(async () => {
    await api.clock.advance(1000);
    sums.push(sum());
    return sum() === 250;
  });
  assert.ok(sums.every((all, second) => all - (sums[second - 1] ?? 0) <= 100), `${sums}`);
  await api.clock.advance(1000);
  assert.ok(told.every((times) => times === 1), `${told}`);
  // Make the timer late several times, as in a busy process.
  for (let second = 0; second < 4; second++) await api.clock.advance(3000);
  await newTag(client);
  await until(async () => {
    const before = sum();
    await api.clock.advance(3000);
    assert.ok(sum() - before <= 6, `${sum() - before} in a busy second`);
    return sum() > 252;
  });
  for (const end of leave) end();
});

Deno.test("what changes while a page is not connected is covered by the first event of the next stream", async () => {
  await using api = await testApi();
  const client = await api.user();
  await (await follow(api, client))[Symbol.asyncDispose]();
  await newTag(client);
  await using stream = await follow(api, client, "", { "Last-Event-ID": "7" });
  assert.equal(stream.names[0], "refresh");
});

Deno.test("the lines of a log come in batches, are resumed after the last one, and end with the run", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const run = await newRun(api.database, task, api.clock.now(), { state: "running", attempt: 1 });
  const time = "2026-01-05T12:00:00.000Z";
  await newOutput(api.database, run, 1, `${time} one\n${time} two\n`);
  await newOutput(api.database, run, 2, `${time} Warning: three\n[Rearguard: 7 characters]\n\n`);
  await using stream = await follow(api, client, `?log=${run}`);
  await until(() => stream.lines.length === 5);
  assert.deepEqual(stream.lines, [
    { sequence: 1, text: `${time} one`, stream: "output" },
    { sequence: 1, text: `${time} two`, stream: "output" },
    { sequence: 2, text: `${time} Warning: three`, stream: "warning" },
    { sequence: 2, text: "[Rearguard: 7 characters]", stream: "note" },
    { sequence: 2, text: "", stream: "output" },
  ]);
  const { id, data } = stream.events.findLast(({ event }) => event === "lines")!;
  assert.deepEqual([id, data.finished], ["2", false]);
  await newOutput(api.database, run, 5, "four\n");
  await until(() => stream.lines.length === 6);
  await using resumed = await follow(api, client, `?log=${run}`, { "Last-Event-ID": "2" });
  await using later = await follow(api, client, `?log=${run}&after=1`);
  await until(() => resumed.lines.length === 1 && later.lines.length === 4);
  assert.deepEqual(resumed.lines.map(({ text }) => text), ["four"]);
  await api.database`
    update runs set state = 'succeeded', finished_at = created_at, deadline_at = null where id = ${run}`;
  await api.clock.advance(2000);
  const isFinished = (each: LiveStream) =>
    each.events.some(({ event, data }) => event === "lines" && data.finished);
  await until(() => [stream, resumed, later].every(isFinished));
  await stream.has("runs");
  await newTag(client);
  await stream.has("tasks");
  const missing = await client.call("GET", "/api/live?log=987654");
  assert.deepEqual([missing.status, missing.body.message], [404, "Backup task log not found"]);
  const foreign = await (await api.user()).call("GET", `/api/live?log=${run}`);
  assert.equal(foreign.status, 404);
});

Deno.test("a browser follows with its cookie until its session ends, and is told to log in without one", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })], streamLimit: 2 });
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const headers = { Cookie, "Sec-Fetch-Site": "same-origin" };
  const stream = await LiveStream.open(api.app, headers, "/live");
  await browser.call("POST", "/api/tags", { label: "mine" });
  await stream.has("tasks");
  const second = await LiveStream.open(api.app, headers, "/live");
  const third = await api.app.request("/live", { headers });
  assert.equal(third.status, 429);
  assert.match((await third.json()).message, /^Too many open streams: .* Close some tabs/);
  await second[Symbol.asyncDispose]();
  const again = await LiveStream.open(api.app, headers, "/live");
  const { status } = await browser.call("POST", "/api/logout");
  assert.equal(status, 200);
  await until(() => stream.ended !== null && again.ended !== null);
  assert.deepEqual([stream.ended, again.ended], ["closed", "closed"]);
  assert.equal((await api.app.request("/live", { headers })).status, 401);
});

Deno.test("a stream without events sends heartbeats, and is aborted if its client reads nothing", async () => {
  await using api = await testApi();
  const client = await api.user();
  await using stream = await follow(api, client);
  let seconds = 0;
  await until(async () => {
    await api.clock.advance(1000);
    seconds++;
    return stream.comments.length === 1;
  });
  assert.ok(seconds >= 15, `${seconds}`);
  const headers = { Authorization: `Bearer ${client.token}` };
  const stuck = await api.app.request("/api/live", { headers });
  for (let n = 0; n < 4; n++) {
    await newTag(client);
    await api.clock.advance(2000);
  }
  assert.equal(api.services.live.size, 2);
  for (let second = 0; second < 95; second++) await api.clock.advance(1000);
  assert.equal(api.services.live.size, 1);
  assert.equal(stream.ended, null);
  await assert.rejects(stuck.text(), /its client reads nothing/);
});

Deno.test("a client that disconnects is noticed at once, and a stop of the process ends the streams", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { live } = api.services;
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, api.app.fetch);
  const connections: Deno.TcpConn[] = [];
  for (let n = 0; n < 3; n++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const request = `GET /api/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    connections.push(connection);
  }
  await until(() => live.size === 3);
  connections[0]!.close();
  await until(() => live.size === 2);
  await connections[1]!.closeWrite();
  connections[1]!.close();
  await until(() => live.size === 1);
  live.stop();
  assert.equal(live.size, 0);
  let text = "";
  for await (const bytes of connections[2]!.readable) {
    text += new TextDecoder().decode(bytes);
    if (text.endsWith("0\r\n\r\n")) break;
  }
  assert.match(text, /event: refresh[^]*0\r\n\r\n$/);
});

Deno.test("a change is announced by every control plane, and a log continues at another one", async () => {
  await using api = await testApi();
  const bus = await openEventBus(api.database);
  using context = openContext({ ...api.services, bus });
  const other = createApp({ services: context.services });
  const client = await api.user();
  const run = await newRun(api.database, await newTask(client), api.clock.now(), { state: "running" });
  await newOutput(api.database, run, 1, "one\n");
  const headers = { Authorization: `Bearer ${client.token}` };
  const first = await follow(api, client, `?log=${run}`);
  await until(() => first.lines.length === 1);
  await first[Symbol.asyncDispose]();
  await newOutput(api.database, run, 2, "two\n");
  {
    await using second = await LiveStream.open(
      other,
      { ...headers, "Last-Event-ID": "1" },
      `/api/live?log=${run}`,
    );
    await until(() => second.lines.length === 1);
    assert.equal(second.lines[0]!.text, "two");
    await newTag(client);
    await second.has("tasks");
  }
  await bus.close();
});

Deno.test("opening and closing 1,000 streams leaves no listener, timer or entry", async () => {
  await using api = await testApi({ streamLimit: 1_000 });
  const client = await api.user();
  const run = await newRun(api.database, await newTask(client), api.clock.now(), { state: "running" });
  let listeners = 0;
  const { bus } = api.services;
  const subscribe = bus.subscribe.bind(bus);
  bus.subscribe = (handler) => {
    const end = subscribe(handler);
    let isOver = false;
    listeners++;
    return () => {
      if (!isOver) listeners--;
      isOver = true;
      end();
    };
  };
  const before = api.clock.sleeping;
  const open = async (n: number) => {
    const headers = { Authorization: `Bearer ${client.token}` };
    const response = await api.app.request(n % 4 === 0 ? `/api/live?log=${run}` : "/api/live", { headers });
    const reader = response.body!.getReader();
    if (n % 3 > 0) await reader.read();
    return reader;
  };
  for (let round = 0; round < 2; round++) {
    const readers = [];
    for (let n = 0; n < 500; n++) readers.push(await open(n));
    assert.equal(api.services.live.size, 500);
    await newTag(client);
    await api.clock.advance(1000);
    await Promise.all(readers.map((reader) => reader.cancel()));
  }
  assert.equal(api.services.live.size, 0);
  await until(() => listeners === 0 && api.clock.sleeping === before);
  // The limit counts only open streams. All earlier streams are closed, so the whole limit is available
  // again.
  const readers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => open(n)));
  await Promise.all(readers.map((reader) => reader.cancel()));
});
