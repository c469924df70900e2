import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Api } from "./api.ts";
import { CommandError } from "./command_error.ts";
import { download } from "./download.ts";

const CONTENT = new Uint8Array(randomBytes(300_000));
const EXPECTED = { size: CONTENT.length, sha256: createHash("sha256").update(CONTENT).digest("hex") };

interface Behaviour {
  /**
   * Number of bytes that each response sends before its connection is cut, in the order of the responses.
   * Further responses are complete.
   */
  cuts?: number[];
  ignoresRange?: boolean;
  content?: Uint8Array<ArrayBuffer>;
}

/** Starts a server with one object, and makes a directory for the download. */
async function serving({ cuts = [], ignoresRange = false, content = CONTENT }: Behaviour) {
  const ranges: (string | null)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const range = request.headers.get("range");
    ranges.push(range);
    const start = ignoresRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const rest = content.subarray(start);
    const isWhole = range === null || ignoresRange;
    const headers = new Headers({ "content-length": `${rest.length}` });
    if (!isWhole) headers.set("content-range", `bytes ${start}-${content.length - 1}/${content.length}`);
    const sent = rest.subarray(0, cuts.shift());
    return new Response(sent.length === rest.length ? rest : cut(sent), {
      status: isWhole ? 200 : 206,
      headers,
    });
  });
  const directory = await Deno.makeTempDir({ prefix: "rearguard-download-" });
  const target = `${directory}/object`;
  const api = new Api({ url: `http://127.0.0.1:${server.addr.port}`, token: "rg_test" });
  return {
    target,
    ranges,
    get: (expected: typeof EXPECTED | null = EXPECTED) =>
      download(
        api,
        {
          action: "download object",
          open: (headers) =>
            api.open("download object", "/api/backups/{id}/download", { headers }, { id: 1 }),
          target,
          expected,
        },
        () => {},
      ),
    files: () => [...Deno.readDirSync(directory)].map(({ name }) => name).sort(),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Returns a body that ends before the declared length. */
function cut(bytes: Uint8Array): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function assertWhole(served: Awaited<ReturnType<typeof serving>>, ranges: (string | null)[]) {
  assert.deepEqual(served.ranges, ranges);
  assert.deepEqual(served.files(), ["object"]);
  assert.deepEqual(new Uint8Array(await Deno.readFile(served.target)), CONTENT);
  assert.equal((await Deno.stat(served.target)).mode! & 0o777, 0o600);
}

Deno.test("a download resumes after lost connections", async () => {
  await using served = await serving({ cuts: [100_000, 50_000] });
  assert.deepEqual(await served.get(), { path: served.target, ...EXPECTED });
  await assertWhole(served, [null, "bytes=100000-", "bytes=150000-"]);
});

Deno.test("a download reuses the partial file of an earlier call only if it may belong to the object", async () => {
  await using served = await serving({});
  await Deno.writeFile(`${served.target}.partial`, CONTENT.subarray(0, 200_000));
  await served.get();
  await assertWhole(served, ["bytes=200000-"]);
  await Deno.writeFile(`${served.target}.partial`, new Uint8Array(EXPECTED.size + 1));
  await served.get();
  await assertWhole(served, ["bytes=200000-", null]);
  // An earlier call downloaded the whole file, but ended before renaming it.
  await Deno.writeFile(`${served.target}.partial`, CONTENT);
  await served.get();
  await assertWhole(served, ["bytes=200000-", null]);
  // If the digest is unknown, nothing shows to which object the partial file belongs. So it is not reused.
  await Deno.writeFile(`${served.target}.partial`, new Uint8Array(5));
  await served.get(null);
  await assertWhole(served, ["bytes=200000-", null, null]);
});

Deno.test("a download starts again if the server sends the whole object", async () => {
  await using served = await serving({ cuts: [100_000], ignoresRange: true });
  await served.get();
  await assertWhole(served, [null, "bytes=100000-"]);
});

Deno.test("a download that differs from the stored object is deleted", async () => {
  const flipped = CONTENT.slice();
  flipped[1000]! ^= 1;
  await using served = await serving({ content: flipped });
  const differs = { code: 1, message: /^Cannot download object: its SHA-256 is .*; nothing was kept$/ };
  await assert.rejects(served.get(), differs);
  assert.deepEqual(served.files(), []);
  await Deno.writeTextFile(served.target, "before");
  await using shorter = await serving({ content: CONTENT.slice(0, 10) });
  const message = /^Cannot download object: it has 10 bytes at its destination, but 300000 were stored$/;
  await assert.rejects(shorter.get(), { name: CommandError.name, code: 1, message });
  assert.equal(await Deno.readTextFile(served.target), "before");
});

Deno.test("an empty object is downloaded too", async () => {
  await using served = await serving({ content: new Uint8Array(0) });
  const sha256 = createHash("sha256").digest("hex");
  assert.deepEqual(await served.get({ size: 0, sha256 }), { path: served.target, size: 0, sha256 });
  assert.equal((await Deno.stat(served.target)).size, 0);
});
