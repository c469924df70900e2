/** Tests downloads through the API, a control plane and an agent. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { backUpTree, localDestination, stageTree } from "../support/fixtures/backed_up_tree.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import type { ApiCaller } from "../support/clients/client.ts";
import { destinationFixtures } from "../support/fixtures/destinations.ts";
import { CliHome } from "../support/clients/cli.ts";
import { until } from "../support/assertions/until.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function get({ url, token }: ApiCaller, path: string, headers: Record<string, string> = {}, method = "GET") {
  return fetch(`${url}/api${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers } });
}

Deno.test("an object is downloaded as stored from every type of destination, whole and in ranges", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api } = at.plane;
  await shell('head -c 3000000 /dev/urandom > "$1/noise"', at.tree);
  for (const type of ["local", "sftp", "s3"]) {
    const fixture = stack.use(await destinationFixtures[type]!());
    const destinationId = await api.create("/backup-destinations", { label: type, ...fixture.fields });
    await t.step(type, async () => {
      const id = await backUpTree(at, destinationId, { store_path: fixture.storePath("trees") });
      const { data } = (await api.call("GET", `/backups/${id}`)).body;
      const object = data.objects[0];
      const path = `/backups/${id}/download`;
      const whole = await get(api, path);
      assert.equal(whole.status, 200);
      assert.equal(whole.headers.get("content-length"), String(object.size));
      assert.equal(whole.headers.get("etag"), `"${object.sha256}"`);
      assert.equal(whole.headers.get("accept-ranges"), "bytes");
      assert.match(whole.headers.get("content-disposition")!, new RegExp(`filename="${object.name}"`));
      const bytes = await whole.bytes();
      assert.equal(sha256(bytes), object.sha256);
      for (
        const [range, from, to] of [
          ["100-199", 100, 200],
          ["2000000-", 2e6, object.size],
          ["0-", 0, object.size],
          [`-${2 * object.size}`, 0, object.size],
        ] as const
      ) {
        const part = await get(api, path, { range: `bytes=${range}`, "if-range": `"${object.sha256}"` });
        assert.equal(part.status, 206);
        assert.equal(part.headers.get("content-range"), `bytes ${from}-${to - 1}/${object.size}`);
        assert.equal(sha256(await part.bytes()), sha256(bytes.subarray(from, to)));
      }
      const changed = await get(api, path, { range: "bytes=5-", "if-range": '"another"' });
      assert.equal(changed.status, 200);
      await changed.body!.cancel();
      const beyond = await get(api, path, { range: `bytes=${object.size}-` });
      assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, `bytes */${object.size}`]);
      await beyond.body!.cancel();
      const head = await get(api, path, { range: "bytes=5-9" }, "HEAD");
      assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(object.size)]);
      const index = data.objects.find((each: { role: string }) => each.role === "index");
      const other = await get(api, `${path}?object=${index.name}`);
      assert.equal(sha256(await other.bytes()), index.sha256);
      const missing = await get(api, `${path}?object=nothing`);
      assert.deepEqual([missing.status, (await missing.json()).message], [404, "Object not found"]);
    });
  }
});

Deno.test("one file from inside is downloaded, opened, and the command line goes through the same door", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api } = at.plane;
  await shell(
    `cd "$1"; mkdir deep; head -c 20000000 /dev/urandom > deep/grün.bin; ln deep/grün.bin also
    truncate -s 5M sparse; printf island | dd of=sparse bs=1 seek=3000000 conv=notrunc status=none; : > empty`,
    at.tree,
  );
  const place = await localDestination(at);
  const id = await backUpTree(at, place);
  const path = (name: string, of = id) =>
    `/backups/${of}/files/download?${new URLSearchParams({ path: name })}`;
  for (const name of ["deep/grün.bin", "also", "sparse", "empty"]) {
    const original = await Deno.readFile(`${at.tree}/${name}`);
    const whole = await get(api, path(name));
    assert.equal(whole.status, 200, name);
    assert.equal(whole.headers.get("content-length"), String(original.length));
    assert.equal(sha256(await whole.bytes()), sha256(original), name);
    if (original.length === 0) continue;
    const part = await get(api, path(name), { range: "bytes=2999990-3000099" });
    assert.equal(part.status, 206);
    assert.deepEqual(await part.bytes(), original.subarray(2999990, 3000100));
  }
  const named = await get(api, path("deep/grün.bin"));
  assert.match(named.headers.get("content-disposition")!, /filename\*=UTF-8''gr%C3%BCn\.bin$/);
  // If a client interrupts a download, the agent stops sending. The request to the agent ends.
  const reader = named.body!.getReader();
  await reader.read();
  await reader.cancel();
  const sent = () => at.plane.services.database`select state from agent_requests where kind = 'backup.send'`;
  await until(async () => (await sent()).every(({ state }) => state === "answered" || state === "failed"));
  const sealed = await backUpTree(at, place, { encryption_password: "páss" });
  const opened = await get(api, path("sparse", sealed), { range: "bytes=3000000-3000005" });
  assert.equal(await opened.text(), "island");
  for (const [name, status] of [["nowhere", 404], ["deep", 409]] as const) {
    const refused = await get(api, path(name));
    assert.equal(refused.status, status, await refused.text());
  }
  const beyond = await get(api, path("sparse"), { range: "bytes=5242880-" });
  assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */5242880"]);
  await beyond.body!.cancel();

  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const backups = (...args: string[]) => home.run(["backups", ...args], { env });
  const listed = await backups("files", String(id), "deep");
  assert.match(listed.stdout, /^Mode .*\n0644 +\d+:\d+ .*Z +deep\/grün\.bin( -> also)?\n$/);
  const object = await backups("download", String(id));
  assert.equal(object.code, 0, object.stderr);
  assert.match(object.stdout, /\.tar\.zst: \d+ bytes, SHA-256 [0-9a-f]{64} \(as stored\)\n$/);
  const file = await backups("download", String(id), "--path", "deep/grün.bin");
  assert.equal(file.code, 0, file.stderr);
  assert.equal(
    sha256(await Deno.readFile(`${home.directory}/grün.bin`)),
    sha256(await Deno.readFile(`${at.tree}/deep/grün.bin`)),
  );
});

Deno.test("a download whose agent dies is cut, and is told so before it begins where it can be", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api, agentPid } = at.plane;
  await shell('head -c 100000000 /dev/urandom > "$1/noise"', at.tree);
  const id = await backUpTree(at, await localDestination(at));
  const response = await get(api, `/backups/${id}/download`);
  const reader = response.body!.getReader();
  await reader.read();
  Deno.kill(agentPid, "SIGKILL");
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  });
  await until(async () => (await get(api, `/backups/${id}/download`)).status === 503);
});

Deno.test("a download of a file that finds damage marks the backup, before its first byte or after", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api } = at.plane;
  await shell('head -c 40000000 /dev/urandom > "$1/noise"', at.tree);
  const place = await localDestination(at);
  const noise = await Deno.readFile(`${at.tree}/noise`);
  for (const [where, isBegun] of [[1_000_000, false], [20_000_000, true]] as const) {
    const id = await backUpTree(at, place);
    const backup = async () => (await api.call("GET", `/backups/${id}`)).body.data;
    const { file_name } = await backup();
    const script = 'printf damage | dd of="$(find "$1" -name "$2")" bs=1 seek="$3" conv=notrunc status=none';
    await shell(script, `${at.root}/backups`, file_name, String(where));
    const path = `/backups/${id}/files/download?path=noise`;
    if (isBegun) {
      const end = await get(api, path, { range: "bytes=39000000-" });
      assert.equal(sha256(await end.bytes()), sha256(noise.subarray(39_000_000)), "other frames are served");
      assert.equal((await backup()).damaged_at, null);
    }
    const whole = await get(api, path);
    assert.equal(whole.status, isBegun ? 200 : 409);
    if (isBegun) await assert.rejects(whole.bytes());
    else assert.match((await whole.json()).message, /The backup is marked as damaged: choose another one\.$/);
    await until(async () => (await backup()).damaged_at !== null);
    assert.match((await backup()).damage_reason, /: the frames of the archive .* do not unpack/);
  }
});
