/**
 * Attacks other servers with an agent. The agent's key is valid, but only for its own server. Nothing that
 * belongs to the other servers changes.
 */
import { bucketRow } from "../support/fixtures/bucket_row.ts";
import assert from "node:assert/strict";
import { UnavailableError } from "../../src/domain/errors.ts";
import { MAX_FRAME } from "../../src/protocol/codec.ts";
import { createEnrolmentToken, enrolAgent } from "../../src/services/servers/enrolment.ts";
import { requestAgent } from "../../src/services/agent_rpc/agent_requests.ts";
import type { ServiceContext } from "../../src/services/context.ts";
import { startRestore } from "../../src/services/backups/restores.ts";
import { removeDue, requestRemoval } from "../../src/services/retention/removals.ts";
import { startRun } from "../../src/services/runs/runs.ts";
import { transaction } from "../../src/store/database/database.ts";
import { contentsOf } from "../support/assertions/contents.ts";
import { serve } from "../support/servers/control_plane.ts";
import { onSystemClock, testServices } from "../support/fixtures/database.ts";
import { failure, success } from "../support/clients/events.ts";
import { AGENT, plant, type Planted } from "../support/fixtures/planted.ts";
import { HELLO, RawAgent } from "../support/clients/raw_agent.ts";
import { TestS3 } from "../support/servers/s3.ts";
import { until } from "../support/assertions/until.ts";

type Enrolled = Planted & { key: string };

async function enrol(services: ServiceContext, planted: Planted): Promise<Enrolled> {
  const { token } = await createEnrolmentToken(services, planted.caller, planted.serverId, 60);
  return { ...planted, key: (await enrolAgent(services, token, AGENT)).agentKey };
}

interface Run {
  run_id: number;
  attempt: number;
  // deno-lint-ignore no-explicit-any
  job: any;
}

interface Stage {
  readonly services: ServiceContext;
  readonly url: string;
  readonly s3: TestS3;
  /** The attacked server. One of its runs is in progress. */
  readonly victim: Enrolled;
  /** The attacking servers: one of another user, and a second server of the victim's owner. */
  readonly hostile: readonly Enrolled[];
  readonly agent: RawAgent;
  readonly run: Run;
  /** An open upload of the victim's run. */
  readonly upload: { upload_id: string; name: string };
  /**
   * Returns the rows of every table. The hostile servers' own rows are left out, and so are the columns that
   * change with each heartbeat of the victim.
   */
  contents(): Promise<Record<string, string[]>>;
}

async function stage(stack: AsyncDisposableStack): Promise<Stage> {
  const s3 = stack.use(await TestS3.open());
  const test = stack.use(await testServices());
  const { services } = stack.use(onSystemClock(test.services));
  const { url } = await serve(services, stack);
  const bucket = bucketRow(services, s3);
  const victim = await enrol(services, await plant(services, {}, bucket));
  const stranger = await enrol(services, await plant(services, {}, bucket));
  const sql = services.database;
  const now = services.clock.now();
  const [{ id: serverId } = { id: 0 }] = await sql<{ id: number }[]>`
    insert into remote_servers (user_id, label, ip_address, created_at, updated_at)
    values (${victim.caller.userId}, 'sister', '127.0.0.9', ${now}, ${now}) returning id`;
  const [{ id: taskId } = { id: 0 }] = await sql<{ id: number }[]>`
    insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency,
      time_to_run_at, timezone, created_at, updated_at)
    select user_id, ${serverId}, backup_destination_id, 'sister', type, source_settings, frequency, time_to_run_at,
      timezone, created_at, updated_at from backup_tasks where id = ${victim.taskId} returning id`;
  const sister = await enrol(services, { ...victim, serverId, taskId });
  const agent = stack.use(await RawAgent.connect(url, victim.key));
  const run = await begin(services, victim, agent);
  const name = objectName(run);
  const { upload_id } = await agent.ask({ type: "upload.open", ...of(run), name, size_hint: null });
  const hostile = [stranger, sister];
  const theirs = new Set(hostile.map((each) => each.serverId));
  return {
    services,
    url,
    s3,
    victim,
    hostile,
    agent,
    run,
    upload: { upload_id, name },
    async contents() {
      const all = await contentsOf(sql, { runs: ["lease_expires_at", "deadline_at"] });
      all.remote_servers = all.remote_servers!.filter((row) => !theirs.has(JSON.parse(row).id));
      // Also leave out the rows that say when the hostile agents were connected.
      all.server_connections = all.server_connections!.filter((row) =>
        !theirs.has(JSON.parse(row).remote_server_id)
      );
      return all;
    },
  };
}

const of = ({ run_id, attempt }: Run) => ({ run_id, attempt });
const objectName = ({ job: { object } }: Run) => `${object.prefix}_${object.stamp}.tar.zst`;

/** Starts a run of the server's task and accepts it. Returns the assignment that the agent got. */
async function begin(services: ServiceContext, { caller, taskId }: Enrolled, agent: RawAgent): Promise<Run> {
  const before = agent.received.length;
  await startRun(services, caller, taskId);
  await until(() => agent.received.slice(before).some(({ type }) => type === "run.start"));
  const run: Run = agent.received.slice(before).find(({ type }) => type === "run.start");
  await agent.tell(run, 1, { kind: "accepted" });
  return run;
}

/** Uploads one object of the run in the same way as an agent. Returns the object's size in bytes. */
async function upload(agent: RawAgent, run: Run, name: string, text: string): Promise<number> {
  const { upload_id } = await agent.ask({ type: "upload.open", ...of(run), name, size_hint: null });
  return await completeUpload(agent, upload_id, text);
}

async function completeUpload(agent: RawAgent, upload_id: string, text: string): Promise<number> {
  const { urls } = await agent.ask({ type: "upload.parts", upload_id, from: 1, count: 1 });
  const response = await fetch(urls[0].url, { method: "PUT", body: text });
  await response.body?.cancel();
  const parts = [{ part_number: 1, etag: response.headers.get("etag")! }];
  const answer = await agent.ask({ type: "upload.complete", upload_id, size: text.length, parts });
  assert.equal(answer.type, "upload.completed", JSON.stringify(answer));
  return text.length;
}

/** Builds a verdict about a successful run that stored these objects. The first object is the archive. */
function verdictOf(objects: { name: string; size: number }[]) {
  const done = success();
  assert.ok(done.kind === "finished" && done.verdict.outcome === "succeeded" && "backup" in done.verdict);
  const sha256 = "a".repeat(64);
  return {
    ...done,
    verdict: {
      ...done.verdict,
      backup: {
        ...done.verdict.backup,
        size: objects[0]!.size,
        objects: objects.map((object) => ({ role: "archive", sha256, database: null, ...object })),
      },
    },
  };
}

async function stateOf({ database }: ServiceContext, runId: number): Promise<string> {
  const [row] = await database<{ state: string; reason: string | null }[]>`
    select state, reason from runs where id = ${runId}`;
  return `${row!.state}${row!.reason === null ? "" : `: ${row!.reason}`}`;
}

/** Asserts that the victim's run ends as it would have without the attack. */
async function finishes({ services, agent, run, upload: { upload_id, name }, s3 }: Stage): Promise<void> {
  const size = await completeUpload(agent, upload_id, "the victim's bytes");
  await agent.tell(run, 2, verdictOf([{ name, size }]));
  assert.equal(await stateOf(services, run.run_id), "succeeded");
  assert.equal(
    new TextDecoder().decode(await s3.read(`${run.job.destination.directory}${name}`)),
    "the victim's bytes",
  );
}

Deno.test("nothing that it says of another server's run, upload, question or stream changes anything", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { services, url, victim, run, upload, agent } = at;
  const check = { kind: "destination.check", backup_destination_id: victim.destinationId } as const;
  const asked = requestAgent(services, victim.serverId, check, 60_000);
  const question = await agent.next("request");
  const over = new AbortController();
  const stream = services.streams.awaitStream("a-stream", victim.serverId, over.signal);
  stream.catch(() => {});
  const before = await at.contents();

  for (const { key, serverId } of at.hostile) {
    const hostile = stack.use(await RawAgent.connect(url, key));
    const who = serverId === at.hostile[0]!.serverId ? "a stranger's agent" : "a sister's agent";
    const attack = (name: string, work: () => Promise<void>) =>
      t.step(`${who}: ${name}`, async () => {
        await work();
        assert.deepEqual(await at.contents(), before);
      });
    const runs = [
      of(run),
      { ...of(run), attempt: run.attempt + 1 },
      { run_id: run.run_id + 1000, attempt: 1 },
    ];
    await attack("events", async () => {
      const events = [
        { kind: "accepted" },
        { kind: "output", text: "forged\n" },
        {
          kind: "progress",
          bytes_read: 1e12,
          bytes_written: 1,
          files_count: 1,
          bytes_per_second: 1,
          eta_seconds: 1,
        },
        verdictOf([{ name: upload.name, size: 1 }]),
        failure("forged", [upload.name]),
        {
          kind: "finished",
          verdict: { outcome: "cancelled", warnings_count: 0, reason: "forged", leftovers: [] },
        },
      ];
      for (const each of runs) {
        for (const [index, event] of events.entries()) await hostile.tell(each, index + 2, event);
        await hostile.tell(each, Number.MAX_SAFE_INTEGER, events[1]);
      }
    });
    await attack("uploads and downloads", async () => {
      const { upload_id } = upload;
      const questions = [
        ...runs.map((each) => ({ type: "upload.open", ...each, name: upload.name, size_hint: null })),
        ...runs.map((each) => ({ type: "download.sign", ...each, name: upload.name })),
        { type: "upload.parts", upload_id, from: 1, count: 100 },
        { type: "upload.complete", upload_id, size: 0, parts: [] },
        { type: "upload.abort", upload_id },
        { type: "upload.abort", upload_id: "00000000-0000-0000-0000-000000000000" },
        { type: "upload.abort", upload_id: "' or true --" },
      ];
      for (const each of questions) {
        const answer = await hostile.ask(each);
        assert.match(answer.type, /refused$/, JSON.stringify(each));
        assert.match(answer.message, /^(Run|Upload) not found$/);
        assert.equal(answer.retryable, false);
      }
    });
    await attack("answers", async () => {
      for (const id of [question.request_id, "0", "-1", "1e3", "9007199254740993", "x"]) {
        hostile.send({ type: "response", request_id: id, ok: true, result: { ok: true, steps: [] } });
        hostile.send({ type: "response", request_id: id, ok: false, error: "forged", damage: "forged" });
      }
      // The control plane answers these two requests in order, so it has begun to handle everything sent
      // before them.
      for (let i = 0; i < 2; i++) await hostile.ask({ type: "upload.abort", upload_id: "x" });
    });
    await attack("what a control plane says", async () => {
      hostile.send({ type: "ack", ...of(run), sequence: 1 });
      hostile.send({ type: "run.cancel", ...of(run), reason: "forged" });
      hostile.send({ type: "run.start", ...of(run), job: run.job });
      hostile.send({ type: "constructor" });
      hostile.send({ type: "__proto__" });
      await hostile.ask({ type: "upload.abort", upload_id: "x" });
    });
    await attack("streams and files over HTTP", async () => {
      const call = async (method: string, path: string, body?: BodyInit) => {
        const headers = { authorization: `Bearer ${key}`, "x-stream-size": "6" };
        const response = await fetch(`${url}${path}`, { method, headers, body });
        return [response.status, (await response.text()).includes("forged")];
      };
      assert.deepEqual(await call("POST", "/api/agent/streams/a-stream", "forged"), [421, false]);
      for (const { run_id, attempt } of runs) {
        const query = `run_id=${run_id}&attempt=${attempt}`;
        assert.deepEqual(await call("GET", `/api/agent/objects?${query}&name=${upload.name}`), [404, false]);
        assert.deepEqual(await call("GET", `/api/agent/export?${query}`), [404, false]);
      }
    });
    await attack("a hello that claims them", async () => {
      const held = runs.map((each) => ({ ...each, finished: true, last_sequence: 9 }));
      // The connected agent stops answering pings, so that the control plane accepts another agent with the
      // same key.
      hostile.answersPings = false;
      using other = await RawAgent.connect(url, key, { ...HELLO, runs: held });
      const { runs: answers } = await other.next("welcome");
      assert.deepEqual(answers.map(({ instruction }: { instruction: string }) => instruction), [
        "forget",
        "forget",
        "forget",
      ]);
      assert.equal(await hostile.closed, 4409);
    });
  }

  agent.send({
    type: "response",
    request_id: question.request_id,
    ok: true,
    result: { ok: false, steps: [{ name: "connect", ok: false, message: "the victim's own", ms: 1 }] },
  });
  assert.equal((await asked).steps[0]!.message, "the victim's own");
  const sent = fetch(`${url}/api/agent/streams/a-stream`, {
    method: "POST",
    headers: { authorization: `Bearer ${victim.key}`, "x-stream-size": "5", "content-length": "5" },
    body: "right",
  });
  assert.equal(await new Response((await stream).bytes).text(), "right");
  await (await sent).body?.cancel();
  over.abort();
  await finishes(at);
});

Deno.test("with its own run it gets no hold of other servers' objects, whatever they are called", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  await finishes(at);
  const { services, url, upload: { name: theirs } } = at;
  const sister = at.hostile[1]!;
  const hostile = stack.use(await RawAgent.connect(url, sister.key));
  const survives = async () => {
    for (const [bucketed, text] of [[theirs, "the victim's bytes"]] as const) {
      assert.equal(new TextDecoder().decode(await at.s3.read(bucketed)), text);
    }
    const [{ count } = { count: 0 }] = await services.database<{ count: number }[]>`
      select count(*)::integer as count from backups where user_id = ${sister.caller.userId}`;
    assert.equal(count, 1);
  };
  await t.step("it opens no upload under a name that is not its run's", async () => {
    const run = await begin(services, sister, hostile);
    for (
      const name of [
        theirs,
        theirs.replace(/\d{14}/, "20990101010000"),
        "..",
        ".",
        "../x",
        `x/${objectName(run)}`,
      ]
    ) {
      const answer = await hostile.ask({ type: "upload.open", ...of(run), name, size_hint: null });
      assert.deepEqual([answer.type, answer.retryable], ["upload.refused", false], name);
      assert.match(answer.message, /it is not the name of an object of the run$/);
    }
    await hostile.tell(run, 2, failure("over"));
  });
  await t.step("it reports no object as stored that it did not upload", async () => {
    const size = "the victim's bytes".length;
    for (const objects of [[{ name: theirs, size }], "own and theirs", "another size"] as const) {
      const run = await begin(services, sister, hostile);
      const name = objectName(run);
      const own = { name, size: typeof objects === "string" ? await upload(hostile, run, name, "mine") : 0 };
      const told = objects === "own and theirs"
        ? [own, { name: theirs, size }]
        : objects === "another size"
        ? [{ name, size: own.size + 1 }]
        : [...objects];
      await hostile.tell(run, 2, verdictOf(told));
      assert.match(
        await stateOf(services, run.run_id),
        /^failed: The agent reports .* which it did not upload/,
      );
    }
    await until(async () => {
      await removeDue(services);
      return (await services.database`select 1 from leftovers`).length === 0;
    });
    await survives();
  });
  await t.step("it makes the control plane remove nothing but what it stored itself", async () => {
    const run = await begin(services, sister, hostile);
    await hostile.tell(run, 2, failure("over", [theirs]));
    await removeDue(services);
    await survives();
    const next = await begin(services, sister, hostile);
    const name = objectName(next);
    const size = await upload(hostile, next, name, "mine");
    await hostile.tell(next, 2, verdictOf([{ name, size }]));
    assert.equal(await stateOf(services, next.run_id), "succeeded");
    const [own] = await services.database<{ id: number }[]>`select id from backups order by id desc limit 1`;
    await transaction(services.database, (sql) => requestRemoval(services, sql, [own!.id], "request"));
    await until(async () => {
      await removeDue(services);
      return (await services.database`select 1 from backups where id = ${own!.id}`).length === 0;
    });
    await survives();
  });
  await t.step("it signs no download but of its own restore", async () => {
    const [backup] = await services.database<{ id: number }[]>`select id from backups`;
    const { runId } = await startRestore(services, at.victim.caller, backup!.id, { target_path: "/x" });
    const start = await at.agent.next("run.start", ({ run_id }) => run_id === runId);
    const question = { type: "download.sign", ...of(start), name: theirs };
    assert.equal((await hostile.ask(question)).message, "Run not found");
    assert.equal((await at.agent.ask(question)).type, "download.signed");
    const other = await at.agent.ask({ ...question, name: `../${theirs}` });
    assert.equal(other.message, "Object not found");
  });
});

Deno.test("an answer of its own that nobody can read is told as that", async () => {
  await using stack = new AsyncDisposableStack();
  const { services, victim, agent } = await stage(stack);
  const check = { kind: "destination.check", backup_destination_id: victim.destinationId } as const;
  for (const result of [null, {}, { ok: "yes" }, [], "x", { ok: true, steps: [{ name: 1 }] }]) {
    const before = agent.received.length;
    const asked = requestAgent(services, victim.serverId, check, 60_000);
    await until(() => agent.received.slice(before).some(({ type }) => type === "request"));
    const { request_id } = agent.received.slice(before).find(({ type }) => type === "request");
    agent.send({ type: "response", request_id, ok: true, result });
    await assert.rejects(
      asked,
      (error) => error instanceof UnavailableError && /an invalid response/.test(error.message),
    );
  }
});

Deno.test("an old attempt of its own run says nothing any more", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { services, agent, run } = at;
  await services.database`update runs set attempt = attempt + 1 where id = ${run.run_id}`;
  await agent.tell(run, 2, { kind: "output", text: "late\n" });
  await agent.tell(run, 3, verdictOf([{ name: at.upload.name, size: 1 }]));
  assert.equal(await stateOf(services, run.run_id), "running");
  assert.deepEqual([...await services.database`select text from run_output`], []);
  assert.match(
    (await agent.ask({ type: "upload.parts", upload_id: at.upload.upload_id, from: 1, count: 1 })).message,
    /dispatched again/,
  );
});

Deno.test("a frame that breaks the protocol ends its own socket, and no other", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { url, hostile: [{ key } = { key: "" }] } = at;
  const sha256 = "a".repeat(64);
  const object = { role: "archive", name: "x", size: 1, sha256, database: null };
  const event = (event: unknown) => ({
    type: "run.event",
    run_id: 1,
    attempt: 1,
    sequence: 1,
    at: "",
    event,
  });
  const frames: [string, unknown][] = [
    ["too long", `{"type":"pong","x":"${"x".repeat(MAX_FRAME)}"}`],
    ["bytes", new TextEncoder().encode('{"type":"pong"}')],
    ["no JSON", "{"],
    ["nothing", ""],
    ["no object", '"pong"'],
    ["no type", "{}"],
    ["a type that is no text", '{"type":1}'],
    ["nested deeply", "[".repeat(500_000)],
    ["nested deeply, and closed", `{"type":${"[".repeat(400_000)}${"]".repeat(400_000)}}`],
    ["a second hello", HELLO],
    ["a negative run", { ...event({ kind: "accepted" }), run_id: -1 }],
    ["a sequence that is no whole number", { ...event({ kind: "accepted" }), sequence: 1.5 }],
    ["a run beyond whole numbers", { ...event({ kind: "accepted" }), run_id: 2 ** 60 }],
    ["an unknown event", event({ kind: "x" })],
    ["an unknown outcome", event({ kind: "finished", verdict: { outcome: "x" } })],
    ["too many leftovers", event(failure("x", Array.from({ length: 6000 }, (_, i) => `x${i}`)))],
    ["too many objects", event(verdictOf(Array.from({ length: 6000 }, () => object)))],
    ...["", ".", "..", "a/b", "../a", "/a", "a\0b"].flatMap((name): [string, unknown][] => [
      [`an object called ${JSON.stringify(name)}`, event(verdictOf([{ name, size: 1 }]))],
      [`a leftover called ${JSON.stringify(name)}`, event(failure("x", [name]))],
    ]),
    ["more parts than there are", {
      type: "upload.parts",
      request_id: "1",
      upload_id: "x",
      from: 1,
      count: 101,
    }],
    ["a long question", { type: "upload.abort", request_id: "x".repeat(65), upload_id: "x" }],
  ];
  const before = await at.contents();
  for (const [name, frame] of frames) {
    await t.step(name, async () => {
      using agent = await RawAgent.connect(url, key);
      agent.send(frame);
      // The control plane acknowledges only events that it accepts. At this event, it closes the connection.
      assert.equal(await agent.next("ack").then(() => null, () => agent.closed), 4400);
    });
  }
  await t.step("anything before hello", async () => {
    using agent = await RawAgent.open(url, key);
    agent.send({ type: "pong" });
    assert.equal(await agent.closed, 4400);
  });
  for (const protocol of [{ min: 99, max: 100 }, { min: -5, max: 0 }, { min: 2, max: 1 }]) {
    await t.step(`protocol ${protocol.min} to ${protocol.max}`, async () => {
      using agent = await RawAgent.open(url, key);
      agent.send({ ...HELLO, protocol });
      assert.equal((await agent.next("refused")).code, "protocol");
      assert.equal(await agent.closed, 4403);
    });
  }
  await t.step("half a handshake", async () => {
    const { hostname, port } = new URL(url);
    for (
      const headers of ["", "Connection: Upgrade\r\n", "Connection: Upgrade\r\nSec-WebSocket-Key: x\r\n"]
    ) {
      using connection = await Deno.connect({ hostname, port: Number(port) });
      const head =
        `GET /api/agent/connect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nUpgrade: websocket\r\n`;
      await connection.write(new TextEncoder().encode(`${head}${headers}\r\n`));
      const answer = new Uint8Array(64);
      await connection.read(answer);
      assert.match(new TextDecoder().decode(answer), /^HTTP\/1\.1 (101|4\d\d) /, headers);
    }
  });
  await t.step("text that can't be stored", async () => {
    using agent = await RawAgent.open(url, key);
    agent.send({ ...HELLO, agent: { ...AGENT, hostname: "a\0b" } });
    assert.equal(await agent.closed, 1013);
  });
  await t.step("names that mean something to JavaScript", async () => {
    const tools = JSON.parse('{"__proto__":"x","constructor":"y"}');
    using agent = await RawAgent.connect(url, key, { ...HELLO, agent: { ...AGENT, tools } });
    assert.equal((await agent.ask({ type: "upload.abort", upload_id: "x" })).type, "upload.refused");
  });
  await t.step("an answer nested too deeply to be kept", async () => {
    using agent = await RawAgent.connect(url, key);
    const result = `${"[".repeat(400_000)}${"]".repeat(400_000)}`;
    agent.send(`{"type":"response","request_id":"1","ok":true,"result":${result}}`);
    assert.equal((await agent.ask({ type: "upload.abort", upload_id: "x" })).type, "upload.refused");
  });
  assert.deepEqual(await at.contents(), before);
  await finishes(at);
});

Deno.test("an event that can never be stored ends its sender's socket, and holds up nobody", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { services, url } = at;
  const sql = services.database;
  const sister = at.hostile[1]!;
  const tooLarge = { outcome: "failed", warnings_count: 2 ** 40, reason: "x", leftovers: [] };
  const cases: [name: string, event: unknown, prepare?: (runId: number) => Promise<unknown>][] = [
    ["a text that no database takes", failure("a\0b")],
    ["a number that no database takes", { kind: "finished", verdict: tooLarge }],
    [
      "one that nobody thought of",
      failure("x"),
      (runId) =>
        sql.unsafe(`
          create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
          create trigger refuse before update on runs for each row when (new.id = ${runId}) execute function refuse();`),
    ],
  ];
  for (const [index, [name, event, prepare]] of cases.entries()) {
    await t.step(name, async () => {
      using hostile = await RawAgent.connect(url, sister.key);
      const run = await begin(services, sister, hostile);
      await prepare?.(run.run_id);
      hostile.send({ type: "run.event", ...of(run), sequence: 2, at: "", event });
      // The victim's event is stored in the same batch as the hostile event, or in the next batch.
      await at.agent.tell(at.run, index + 2, { kind: "output", text: `line ${index}\n` });
      assert.equal(await hostile.closed, 4400);
      await sql`drop function if exists refuse cascade`;
      await sql`
        update runs set state = 'failed', reason = 'over', finished_at = ${services.clock.now()}, deadline_at = null
        where id = ${run.run_id}`;
    });
  }
  const [{ text } = { text: "" }] = await sql<{ text: string }[]>`
    select string_agg(text, '' order by sequence) as text from run_output where run_id = ${at.run.run_id}`;
  assert.equal(text, "line 0\nline 1\nline 2\n");
});

Deno.test("a flood ends its own socket, and sockets that say nothing are few", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { url, hostile: [{ key } = { key: "" }] } = at;
  const before = await at.contents();
  const response = { type: "response", request_id: "1", ok: true, result: {} };
  const floods: Record<string, (i: number) => unknown> = {
    questions: (i) => ({
      type: "upload.abort",
      request_id: String(i),
      upload_id: "00000000-0000-4000-8000-000000000000",
    }),
    answers: () => response,
  };
  for (const [name, message] of Object.entries(floods)) {
    await t.step(name, async () => {
      using agent = await RawAgent.connect(url, key);
      for (let i = 0; i < 5000; i++) agent.send(message(i));
      // The control plane closes the connection with 4429. The agent might still be sending then, so the
      // connection might break before the agent reads this code. Code 4408 would be wrong: it would mean that
      // only a timeout ended the connection, a minute later.
      assert.ok([4429, 1006, 0].includes((await agent.end())!));
    });
  }
  await t.step("sockets without a hello", async () => {
    const open: RawAgent[] = [];
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => RawAgent.open(url, key)));
    for (const each of tries) if (each.status === "fulfilled") open.push(each.value);
    assert.equal(open.length, 8);
    for (const each of open) each[Symbol.dispose]();
    // The control plane accepts new connections once it has noticed that the test closed the earlier ones.
    await until(() =>
      RawAgent.connect(url, key).then((agent) => (agent[Symbol.dispose](), true), () => false)
    );
  });
  assert.deepEqual(await at.contents(), before);
  await finishes(at);
});
