import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../../../src/domain/clock.ts";
import { webdavFixture, webdavSpec } from "../../../../tests/support/fixtures/destinations.ts";
import { FakeWebdav } from "../../../../tests/support/servers/fake_webdav.ts";
import { TestWebdav, WEBDAV_SERVERS } from "../../../../tests/support/servers/webdav.ts";
import { type Destination, ObjectMissingError, RunFailedError } from "../../ports.ts";
import { checkDestination } from "../destinations.ts";
import { chunkSize, uploadsUrl } from "./chunks.ts";
import { DavClient } from "./client.ts";
import { LongAnswerError } from "./exchange.ts";
import { WebdavDestination } from "./webdav.ts";

const MIB = 2 ** 20;
const LIMITS = { idleMs: 1000, patienceMs: 0 };
const SECRET = "s3cret-pass";

/** Opens the directory `in/here` of the server. */
async function opened(server: FakeWebdav, limits = LIMITS): Promise<WebdavDestination & AsyncDisposable> {
  const spec = {
    type: "webdav" as const,
    url: server.url,
    username: "ada",
    password: SECRET,
    directory: "in/here",
  };
  const { signal } = new AbortController();
  const ports = {
    clock: systemClock,
    signal,
    output: null,
    uploads: null,
    downloads: null,
    relay: null,
    limits,
  };
  const destination = await WebdavDestination.open(spec, ports);
  return Object.assign(destination, { [Symbol.asyncDispose]: () => destination.close() });
}

function bytes(size: number): Uint8Array {
  return new Uint8Array(size).map((_, index) => index * 31 % 251);
}

async function store(destination: Destination, name: string, content: Uint8Array): Promise<void> {
  const writer = await destination.create(name, null);
  try {
    for (let at = 0; at < content.length; at += MIB / 2) await writer.write(content.slice(at, at + MIB / 2));
    await writer.commit();
  } catch (error) {
    await writer.abort().catch(() => {});
    throw error;
  }
}

async function read(destination: Destination, name: string, from: number, to: number): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of destination.read(name, from, to)) pieces.push(piece.slice());
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Returns the message of a failure. Asserts that the message is one line without secrets. */
async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^Cannot [^\n]+$/);
  assert.ok(!error.message.includes(SECRET) && !error.message.includes(btoa(`ada:${SECRET}`)));
  return error.message;
}

const answers = (status: number, headers: Record<string, string> = {}, body: string | null = null) => () =>
  new Response(body, { status, headers });
const at = (method: string, answer: () => Response) => (request: Request) =>
  request.method === method ? answer() : null;

for (const kind of WEBDAV_SERVERS) {
  Deno.test(`${kind}: what is stored is read back, replaced by nothing, and removed`, async () => {
    await using fixture = await webdavFixture(kind);
    const directory = "a b/än-日本/100%#?";
    const destination = await WebdavDestination.open(
      fixture.spec(directory) as never,
      fixture.ports(directory),
    );
    for (
      const [name, size] of [["empty.zst", 0], ["small;=&+.zst", 10], ["lärge %41.zst", 5 * MIB + 3]] as const
    ) {
      const content = bytes(size);
      await store(destination, name, content);
      assert.equal(await destination.size(name), size);
      assert.deepEqual(await read(destination, name, 3, size), content.slice(3));
      assert.deepEqual((await fixture.objects()).get(`${directory}/${name}`), content);
      assert.match(await failure(store(destination, name, bytes(5))), /already exists/);
    }
    assert.deepEqual(await fixture.partials(), []);
    assert.deepEqual([await destination.remove("empty.zst"), await destination.remove("empty.zst")], [
      true,
      false,
    ]);
    await destination.close();
  });

  Deno.test(`${kind}: a connection that breaks in the middle fails, and leaves nothing`, async () => {
    await using server = await TestWebdav.open(kind);
    const spec = webdavSpec(server, "d");
    const { signal } = new AbortController();
    const ports = { clock: systemClock, signal, output: null, uploads: null, downloads: null, relay: null };
    const destination = await WebdavDestination.open(spec, { ...ports, limits: LIMITS });
    const writer = await destination.create("a.zst", null);
    await writer.write(bytes(3 * MIB));
    await server.kill();
    await failure((async () => {
      await writer.write(bytes(3 * MIB));
      await writer.commit();
    })());
    await server.start();
    await writer.abort();
    assert.equal(await destination.remove("a.zst"), false);
    await destination.close();
  });
}

const NEXTCLOUD = "/remote.php/dav/files/ada";
const UPLOADS = "/remote.php/dav/uploads/ada/";

function nextcloud(): FakeWebdav {
  const server = new FakeWebdav(NEXTCLOUD);
  server.files.set(UPLOADS, new Uint8Array(0));
  return server;
}

Deno.test("Nextcloud gets large objects in chunks, which it assembles", async () => {
  await using server = nextcloud();
  await using destination = await opened(server);
  const content = bytes(25 * MIB + 5);
  await store(destination, "a b.zst", content);
  await store(destination, "small.zst", bytes(100));
  const [first, second] = [`${NEXTCLOUD}/in/here/a b.zst`, `${NEXTCLOUD}/in/here/small.zst`];
  assert.deepEqual(server.names(), [first, second]);
  assert.ok(content.every((byte, index) => byte === server.files.get(first)![index]));
  const chunks = server.calls.filter(({ method, path }) => method === "PUT" && path.startsWith(UPLOADS));
  assert.deepEqual(chunks.map(({ path, length }) => [path.split("/").at(-1), length]), [
    ["00001", 10 * MIB],
    ["00002", 10 * MIB],
    ["00003", 5 * MIB + 5],
  ]);
  const move = server.calls.find(({ method, path }) => method === "MOVE" && path.endsWith("/.file"))!;
  const target = `${server.url}/in/here/a%20b.zst`;
  for (const each of [...chunks, move]) assert.equal(each.headers.get("destination"), target);
  assert.equal(move.headers.get("oc-total-length"), String(content.length));
  assert.match(move.headers.get("oc-checksum")!, /^SHA1:[0-9a-f]{40}$/);
});

Deno.test("chunks of a run that died are removed with the object", async () => {
  await using server = nextcloud();
  await using destination = await opened(server);
  const writer = await destination.create("a.zst", null);
  await writer.write(bytes(12 * MIB));
  assert.equal(server.names().filter((name) => name.startsWith(UPLOADS)).length, 1);
  assert.equal(await (await opened(server)).remove("a.zst"), true);
  assert.deepEqual(server.names(), []);
  assert.deepEqual([...server.files.keys()].filter((path) => path.startsWith(UPLOADS)), [UPLOADS]);
});

Deno.test("a chunk is sent again; without uploads in chunks, the object is streamed", async () => {
  await using server = nextcloud();
  let refused = 0;
  server.fault = (request, path) =>
    request.method === "PUT" && path.endsWith("/00002") && refused++ === 0 ? answers(503)() : null;
  await using destination = await opened(server, { idleMs: 1000, patienceMs: 5000 });
  await store(destination, "a.zst", bytes(21 * MIB));
  assert.equal(server.files.get(`${NEXTCLOUD}/in/here/a.zst`)!.length, 21 * MIB);
  assert.equal(refused, 2);
  server.fault = (request, path) =>
    request.method === "MKCOL" && path.startsWith(UPLOADS) ? answers(405)() : null;
  await store(destination, "b.zst", bytes(21 * MIB));
  assert.equal(server.files.get(`${NEXTCLOUD}/in/here/b.zst`)!.length, 21 * MIB);
});

Deno.test("the address of Nextcloud tells its directory of uploads", () => {
  const at = "https://c.example.com/cloud/remote.php";
  assert.equal(uploadsUrl(`${at}/dav/files/ada%40x/Backups`, "ada"), `${at}/dav/uploads/ada%40x`);
  assert.equal(uploadsUrl(`${at}/webdav`, "a b"), `${at}/dav/uploads/a%20b`);
  assert.equal(uploadsUrl("https://u1.example.com/backups", "u1"), null);
  assert.equal(chunkSize(null), 10 * MIB);
  assert.ok(10_000 * chunkSize(1e12) >= 1.5e12);
});

Deno.test("refusals are explained", async () => {
  const cases: [string, ReturnType<typeof at>, RegExp][] = [
    [
      "password",
      answers(401, { "www-authenticate": 'Basic realm="x"' }),
      /let the user in \(401\).*webdav_password/,
    ],
    [
      "digest",
      answers(401, { "www-authenticate": 'Digest realm="x", nonce="y"' }),
      /wants digest authentication/,
    ],
    [
      "redirect",
      answers(301, { location: "https://other.example/a?token=x" }),
      /to https:\/\/other\.example \(301\)/,
    ],
    ["page", answers(200, {}, "<html>Log in</html>"), /answers 200, but not as WebDAV does/],
    ["page as a list", answers(207, {}, "<html>Log in</html>"), /list of properties can't be read/],
    ["no list", answers(207, {}, ""), /list of properties can't be read/],
    ["no WebDAV", answers(405), /address of the WebDAV service/],
  ];
  for (const [name, answer, reason] of cases) {
    await using server = new FakeWebdav("/dav");
    server.fault = answer;
    const message = await failure(opened(server));
    assert.match(message, reason, name);
    assert.doesNotMatch(message, /token/);
  }
  const writing: [string, number, RegExp][] = [
    ["PUT", 403, /does not allow that \(403\)/],
    ["PUT", 413, /client_max_body_size 0/],
    ["PUT", 423, /it is locked \(423\)/],
    ["PUT", 507, /disk is full, or .* quota \(507\)/],
    ["PUT", 503, /it answers 503/],
    ["MKCOL", 403, /does not allow that/],
    ["MKCOL", 409, /a directory above it is missing/],
    ["MOVE", 412, /another file took its name/],
    ["MOVE", 502, /rewrite the header Destination/],
  ];
  for (const [method, status, reason] of writing) {
    await using server = new FakeWebdav("/dav");
    await using destination = await opened(server);
    server.fault = at(method, answers(status));
    assert.match(await failure(store(destination, "a.zst", bytes(10))), reason, `${method} ${status}`);
  }
});

Deno.test("a refusal in the middle of a streamed upload is explained", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server);
  server.fault = async ({ method, body, headers }) => {
    if (method !== "PUT" || headers.get("content-length") !== null) return null;
    await body!.cancel();
    return new Response(null, { status: 507 });
  };
  assert.match(
    await failure(store(destination, "a.zst", bytes(8 * MIB))),
    /disk is full|connection was cut/,
  );
  assert.deepEqual(server.names(), []);
});

Deno.test("a server that keeps fewer bytes than were sent is found out", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server);
  server.change = (response, { method }) => {
    if (method === "PUT") { for (const name of server.names()) server.files.set(name, bytes(3)); }
    return response;
  };
  assert.match(
    await failure(store(destination, "a.zst", bytes(10))),
    /holds 3 bytes of the 10 that were sent/,
  );
});

Deno.test("an object whose move was not answered is there", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server);
  let moves = 0;
  server.change = (response, { method }) => {
    if (method !== "MOVE" || moves++ > 0) return response;
    return new Response(null, { status: 504 });
  };
  await store(destination, "a.zst", bytes(10));
  assert.deepEqual([moves, server.names()], [1, ["/dav/in/here/a.zst"]]);
});

Deno.test("a server that ignores ranges is read from the start; a page is no object", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server);
  const content = bytes(3 * MIB);
  await store(destination, "a.zst", content);
  const whole = (body: Uint8Array) => new Response(body as Uint8Array<ArrayBuffer>);
  server.fault = at("GET", () => whole(content));
  assert.deepEqual(await read(destination, "a.zst", MIB, 2 * MIB), content.slice(MIB, 2 * MIB));
  assert.match(await failure(read(destination, "a.zst", 4 * MIB, 5 * MIB)), /it ends after 3145728 bytes/);
  server.fault = at("GET", () => whole(new TextEncoder().encode("<html>Log in</html>")));
  assert.match(await failure(read(destination, "a.zst", 0, 10)), /does not answer with the object/);
  server.fault = at("GET", answers(302, { location: "https://other.example/" }));
  assert.match(await failure(read(destination, "a.zst", 0, 10)), /it redirects to https:\/\/other\.example/);
});

Deno.test("lists may be compressed, and have relative, absolute or rewritten addresses", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server);
  await store(destination, "ä b.zst", bytes(10));
  const rewrites = [
    (text: string) => text,
    (text: string) => text.replaceAll("<x:href>", "<x:href>https://inside.example:8443"),
    (text: string) => text.replaceAll("<x:href>/dav/", "<x:href>/"),
  ];
  for (const rewrite of rewrites) {
    server.change = async (response) => {
      if (response.status !== 207) return response;
      const body = new Uint8Array(gzipSync(rewrite(await response.text())));
      return new Response(body, { status: 207, headers: { "content-encoding": "gzip" } });
    };
    assert.equal(await destination.size("ä b.zst"), 10);
    const missing = await destination.size("b.zst").then(() => null, (error) => error);
    assert.ok(missing instanceof ObjectMissingError, String(missing));
  }
});

Deno.test("a mute server ends the work within the limits", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server, { idleMs: 300, patienceMs: 0 });
  await store(destination, "a.zst", bytes(10));
  const { promise, resolve } = Promise.withResolvers<Response>();
  server.fault = () => promise;
  assert.match(await failure(destination.size("a.zst")), /no answer came for 0\.3 s/);
  assert.match(await failure(read(destination, "a.zst", 0, 10)), /nothing came for 0\.3 s/);
  resolve(new Response());
});

Deno.test("a list without an end is given up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const served = (async () => {
    for await (const connection of listener) {
      const head = "HTTP/1.1 207 Multi-Status\r\ncontent-type: application/xml\r\n\r\n";
      await connection.write(new TextEncoder().encode(head));
      const more = new TextEncoder().encode("<a>".repeat(300_000));
      // Sends bytes until the client closes the connection.
      while (await connection.write(more).then(() => true, () => false));
      connection.close();
    }
  })();
  const client = new DavClient(
    { type: "webdav", url: `http://127.0.0.1:${port}`, username: "ada", password: SECRET, directory: "." },
    { clock: systemClock, signal: new AbortController().signal, output: null, limits: LIMITS },
  );
  await assert.rejects(client.list("list it", `http://127.0.0.1:${port}/`, 1), LongAnswerError);
  client.close();
  listener.close();
  await served.catch(() => {});
});

/**
 * Makes the server report quotas. `quotas` contains each directory's available and used bytes, by its path.
 */
function reportQuota(server: FakeWebdav, quotas: Record<string, [available: number, used: number]>): void {
  server.change = async (response, request) => {
    const quota = quotas[new URL(request.url).pathname];
    if (request.method !== "PROPFIND" || quota === undefined) return response;
    const [available, used] = quota;
    const properties = `<x:quota-available-bytes>${available}</x:quota-available-bytes>` +
      `<x:quota-used-bytes>${used}</x:quota-used-bytes>`;
    const document = (await response.text()).replace("<x:prop>", `<x:prop>${properties}`);
    return new Response(document, { status: response.status, headers: response.headers });
  };
}

Deno.test("the space is the account's quota", async () => {
  await using server = new FakeWebdav("/dav");
  await using destination = await opened(server);
  await store(destination, "a.zst", bytes(10));
  const space = async (own: [number, number], top: [number, number]) => {
    reportQuota(server, { "/dav/in/here/": own, "/dav/": top });
    return await destination.space();
  };
  assert.deepEqual(await space([30, 70], [30, 70]), { free: 30, total: 100 });
  // The used bytes that Nextcloud reports for a directory are only those of the directory's own contents.
  assert.deepEqual(await space([3000, 10], [3001, 7000]), { free: 3000, total: 10_000 });
  // The directory is on other storage than the account's top directory, so their quotas differ.
  assert.deepEqual(await space([50, 50], [3000, 7000]), { free: 50, total: 100 });
  assert.deepEqual(await space([0, 100], [0, 100]), { free: 0, total: 100 });
  // Nextcloud reports -3 for an account without a quota.
  assert.equal(await space([-3, 70], [-3, 70]), null);
  server.change = (response) => response;
  assert.equal(await destination.space(), null);
});

Deno.test("a check measures the quota, if the server reports it", async () => {
  await using server = new FakeWebdav("/dav");
  const spec = {
    type: "webdav",
    url: server.url,
    username: "ada",
    password: SECRET,
    directory: ".",
  } as const;
  const check = () => checkDestination(spec, systemClock, new AbortController().signal);
  assert.equal((await check()).space, undefined);
  reportQuota(server, { "/dav/": [30, 70] });
  const { ok, space } = await check();
  assert.deepEqual([ok, space], [true, { free: 30, total: 100 }]);
});

for (const kind of WEBDAV_SERVERS) {
  Deno.test(`${kind}: the space is unknown, because this server reports no quota`, async () => {
    await using fixture = await webdavFixture(kind);
    const destination = await WebdavDestination.open(fixture.spec("d") as never, fixture.ports("d"));
    await store(destination, "a.zst", bytes(10));
    assert.equal(await destination.space(), null);
    await destination.close();
  });
}
