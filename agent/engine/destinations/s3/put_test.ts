import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../../../src/domain/clock.ts";
import { keepAwake } from "../../../../tests/support/fixtures/hurried_clock.ts";
import { makeCertificates } from "../../../../tests/support/servers/bad_certificates.ts";
import { freePort } from "../../../../tests/support/servers/ports.ts";
import { PutConnections, type PutOutcome } from "./put.ts";

const never = new AbortController().signal;
/** A body larger than the buffers of any socket. */
const BODY = new Uint8Array(16 * 2 ** 20);
const PART = { body: BODY, md5: "md5" };
const LIMITS = { idleMs: 5000, answerMs: 5000, totalMs: 60_000 };
const REFUSAL = "HTTP/1.1 403 Forbidden\r\ncontent-length: 56\r\n\r\n" +
  "<Error><Code>Denied</Code><Message>No\nway</Message></Error>".slice(0, 56);

/** Sends `BODY` to a test server that handles each connection with `serve`. Returns the outcome. */
async function put(
  serve: (connection: Deno.Conn, over: Promise<void>) => Promise<void>,
  signal = never,
  answerMs = 500,
  totalMs = 60_000,
): Promise<PutOutcome> {
  const over = Promise.withResolvers<void>();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new PutConnections();
  const served = (async () => {
    using connection = await listener.accept();
    await serve(connection, over.promise);
  })();
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const url = `http://127.0.0.1:${port}/x?X-Amz-Signature=secret`;
    return await connections.put(url, { body: BODY, md5: "md5" }, { idleMs: 500, answerMs, totalMs }, signal);
  } finally {
    connections.close();
    over.resolve();
    await served;
  }
}

async function readSome(connection: Deno.Conn): Promise<void> {
  await connection.read(new Uint8Array(65_536));
}

async function drain(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  // Ignore errors: the client might have cut the connection. Then there is nothing more to read.
  while (await connection.read(buffer).catch(() => null) !== null);
}

async function answer(connection: Deno.Conn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}

Deno.test("a refusal that comes before the body's end is read, whatever becomes of the connection", async () => {
  for (const after of [() => Promise.resolve(), drain]) {
    const outcome = await put(async (connection) => {
      await readSome(connection);
      await answer(connection, REFUSAL);
      await after(connection);
    });
    assert(outcome.kind === "refused", Deno.inspect(outcome));
    assert.deepEqual([outcome.status, outcome.code], [403, "Denied"]);
  }
});

Deno.test("a refusal that a proxy has compressed is read", async () => {
  const body = gzipSync("<Error><Code>NoSuchUpload</Code></Error>");
  const outcome = await put(async (connection) => {
    await readSome(connection);
    await answer(
      connection,
      `HTTP/1.1 404 x\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    await connection.write(body);
    await drain(connection);
  });
  assert(outcome.kind === "refused", Deno.inspect(outcome));
  assert.deepEqual([outcome.code, outcome.isForeign], ["NoSuchUpload", false]);
});

Deno.test("a connection that is cut is lost, and may be tried again", async () => {
  const outcome = await put(readSome);
  assert.deepEqual(outcome, { kind: "lost", reason: "the connection was cut", isFinal: false });
});

Deno.test("a server that stops reading is given up", async () => {
  const outcome = await put((_connection, over) => over);
  assert.deepEqual(outcome, {
    kind: "lost",
    reason: "nothing moved for 0.5 s",
    isFinal: false,
    isUnanswered: false,
  });
});

async function readWhole(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1 << 20);
  for (let left = BODY.length; left > 0;) left -= await connection.read(buffer) ?? BODY.length;
}

Deno.test("an answer after the last byte may take longer than silence before it", async () => {
  using _awake = keepAwake();
  const late = async (connection: Deno.Conn) => {
    await readWhole(connection);
    await systemClock.sleep(1200);
    await answer(connection, 'HTTP/1.1 200 OK\r\netag: "e"\r\ncontent-length: 0\r\n\r\n');
  };
  assert.deepEqual(await put(late, never, 10_000), { kind: "stored", etag: '"e"' });
  assert.deepEqual(await put(late), {
    kind: "lost",
    reason: "no answer came for 0.5 s",
    isFinal: false,
    isUnanswered: true,
  });
});

Deno.test("a server that takes a byte now and then, and never ends, is given up", async () => {
  using _awake = keepAwake();
  const trickle = async (connection: Deno.Conn, over: Promise<void>) => {
    let isOver = false;
    void over.then(() => isOver = true);
    await answer(connection, 'HTTP/1.1 200 OK\r\netag: "e"\r\ncontent-length: 100000\r\n\r\n').catch(
      () => {},
    );
    await readWhole(connection);
    while (!isOver) {
      await connection.write(new Uint8Array(1)).catch(() => {});
      await systemClock.sleep(50);
    }
  };
  const outcome = await put(trickle, never, 10_000, 1500);
  assert(outcome.kind === "lost" && !outcome.isFinal, Deno.inspect(outcome));
});

Deno.test("an abort ends a part on its way", async () => {
  const cancel = new AbortController();
  const outcome = put(async (connection) => {
    await readSome(connection);
    cancel.abort(new Error("cancelled"));
    await drain(connection);
  }, cancel.signal);
  await assert.rejects(outcome, /cancelled/);
});

Deno.test("a port where nothing listens and a name that nobody has are told without the URL", async () => {
  const connections = new PutConnections();
  for (const host of [`127.0.0.1:${freePort()}`, "no-such-host.invalid"]) {
    const outcome = await connections.put(`http://${host}/x?X-Amz-Signature=secret`, PART, LIMITS, never);
    assert(outcome.kind === "lost" && !outcome.isFinal);
    assert.match(outcome.reason, /refused|host name/);
    assert.equal(outcome.reason.includes("secret"), false);
  }
  connections.close();
});

Deno.test("a certificate that is not trusted does not pass by waiting", async () => {
  const directory = await Deno.makeTempDir();
  const [key, cert] = [`${directory}/key.pem`, `${directory}/cert.pem`];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const more = ["-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=localhost"];
  await new Deno.Command("openssl", { args: [...args, ...more] }).output();
  const tls = { key: await Deno.readTextFile(key), cert: await Deno.readTextFile(cert) };
  await Deno.remove(directory, { recursive: true });
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {}, ...tls },
    () => new Response(),
  );
  const connections = new PutConnections();
  const outcome = await connections.put(`https://localhost:${server.addr.port}/x`, PART, LIMITS, never);
  connections.close();
  assert(outcome.kind === "lost" && outcome.isFinal, Deno.inspect(outcome));
  assert.match(outcome.reason, /certificate is self-signed\. To trust an authority/);
});

Deno.test("a certificate that has expired is told by its date", async () => {
  await using certificates = await makeCertificates();
  const tls = certificates.pem.expired;
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {}, ...tls },
    () => new Response(),
  );
  const connections = new PutConnections();
  const outcome = await connections.put(`https://localhost:${server.addr.port}/x`, PART, LIMITS, never);
  connections.close();
  assert(outcome.kind === "lost" && outcome.isFinal, Deno.inspect(outcome));
  assert.match(outcome.reason, /certificate expired on 2020-01-03/);
});
