/** Tests with connections that break and with servers that fall silent. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../src/domain/clock.ts";
import { sshdSpec } from "../../../../tests/support/fixtures/destinations.ts";
import { FreezingRelay } from "../../../../tests/support/servers/freezing_relay.ts";
import { hurriedClock, keepAwake } from "../../../../tests/support/fixtures/hurried_clock.ts";
import { TestSshd } from "../../../../tests/support/servers/sshd.ts";
import { until } from "../../../../tests/support/assertions/until.ts";
import { RunAbortedError, RunFailedError } from "../../ports.ts";
import type { DestinationPorts } from "../destination_type.ts";
import { openDestination } from "../destinations.ts";

const MIB = 2 ** 20;

function portsOf(changes: Partial<DestinationPorts> = {}): DestinationPorts {
  const signal = new AbortController().signal;
  return {
    clock: systemClock,
    signal,
    output: null,
    uploads: null,
    downloads: null,
    relay: null,
    ...changes,
  };
}

function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

function equal(a: Uint8Array, b: Uint8Array): void {
  assert(a.length === b.length && a.every((byte, index) => byte === b[index]));
}

async function reason(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  return error.message;
}

Deno.test("an upload goes on at the acknowledged byte after its connection was cut, its server away meanwhile", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text) };
  const destination = await openDestination(sshdSpec(sshd), portsOf({ output }));
  const content = noise(24 * MIB);
  const writer = await destination.create("x", null);
  for (let at = 0; at < content.length; at += MIB) {
    // Kill the server at these two positions in the object, while writes are pending.
    if (at === 5 * MIB || at === 17 * MIB) {
      await sshd.kill();
      void systemClock.sleep(1500).then(() => sshd.start());
    }
    await writer.write(content.subarray(at, at + MIB));
  }
  await sshd.kill();
  await sshd.start();
  await writer.commit();
  await destination.close();
  equal(await Deno.readFile(`${sshd.directory}/x`), content);
  assert.deepEqual([...Deno.readDirSync(sshd.directory)].map(({ name }) => name), ["x"]);
  assert.match(
    lines[0]!,
    /^Cannot write \S+ at \S+: the connection was lost\. Trying again for up to 15 min$/,
  );
  assert.ok(lines.some((line) => /^SFTP \S+ answers again$/.test(line)), lines.join("\n"));
});

Deno.test("reading goes on at the byte after the connection was cut", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  const content = noise(24 * MIB);
  await Deno.writeFile(`${sshd.directory}/x`, content);
  await Deno.chown(`${sshd.directory}/x`, sshd.uid, sshd.gid);
  const destination = await openDestination(sshdSpec(sshd), portsOf());
  const read = new Uint8Array(content.length - 7);
  let at = 0;
  let cuts = 0;
  for await (const chunk of destination.read("x", 7, content.length)) {
    read.set(chunk, at);
    at += chunk.length;
    if (at > [3, 15][cuts]! * MIB) {
      cuts++;
      await sshd.kill();
      void systemClock.sleep(500).then(() => sshd.start());
    }
  }
  await destination.close();
  equal(read, content.subarray(7));
  assert.equal(cuts, 2);
});

Deno.test("a server that lost bytes it had acknowledged fails the upload", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  const destination = await openDestination(sshdSpec(sshd), portsOf());
  const writer = await destination.create("x", null);
  await writer.write(noise(8 * MIB));
  await sshd.kill();
  await Deno.truncate(`${sshd.directory}/.x.partial`, MIB);
  await sshd.start();
  assert.match(await reason(writer.commit()), /has 1048576 bytes of the \d+ that it had acknowledged/);
  await writer.abort();
  await destination.close();
  assert.deepEqual([...Deno.readDirSync(sshd.directory)], []);
});

Deno.test("a server that kept the length of a file and lost acknowledged bytes in it fails the upload", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  const content = noise(20 * MIB);
  for (
    const [lostAt, expected] of [[3 * MIB, /between 0 and 8388608/], [
      9 * MIB,
      /between 8388608 and 16/,
    ]] as const
  ) {
    const destination = await openDestination(sshdSpec(sshd), portsOf());
    const writer = await destination.create("x", null);
    await writer.write(content.subarray(0, 12 * MIB));
    await sshd.kill();
    const file = await Deno.open(`${sshd.directory}/.x.partial`, { write: true });
    await file.seek(lostAt, Deno.SeekMode.Start);
    await file.write(new Uint8Array(4096));
    file.close();
    await sshd.start();
    await writer.write(content.subarray(12 * MIB));
    assert.match(await reason(writer.commit()), expected);
    await writer.abort();
    await destination.close();
    assert.deepEqual([...Deno.readDirSync(sshd.directory)], []);
  }
});

Deno.test("a log-in is tried again while its server is away, but not with a wrong key or to a wrong host", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  await sshd.kill();
  const opening = openDestination(sshdSpec(sshd), portsOf());
  await systemClock.sleep(1000);
  await sshd.start();
  await (await opening).close();
  const spec = sshdSpec(sshd);
  const wrong = [
    [{ ...spec, host_key: `SHA256:${"A".repeat(43)}` }, /its host key is not the pinned/],
    [{ ...spec, private_key: null, password: "not-it" }, /does not let the user in/],
    [{ ...spec, host: "no-such-host.invalid" }, /the host name does not exist/],
  ] as const;
  for (const [other, message] of wrong) {
    assert.match(await reason(openDestination(other, portsOf())), message);
  }
});

Deno.test("a server that stays away fails the work when the patience ends", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  const clock = hurriedClock(300);
  const destination = await openDestination(sshdSpec(sshd), portsOf({ clock }));
  const writer = await destination.create("x", null);
  await sshd.kill();
  const started = clock.monotonic();
  await writer.write(new Uint8Array(MIB)).catch(() => {});
  assert.match(await reason(writer.commit()), /refuses the connection|the connection was lost/);
  const minutes = (clock.monotonic() - started) / 60_000;
  assert.ok(minutes > 14 && minutes < 25, `${minutes} minutes`);
  await destination.close();
});

Deno.test("a server that falls silent is given up, and found again on a new connection", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  await using relay = new FreezingRelay(sshd.port);
  const limits = { idleMs: 1000, patienceMs: 60_000 };
  const destination = await openDestination({ ...sshdSpec(sshd), port: relay.port }, portsOf({ limits }));
  const content = noise(9 * MIB);
  const writer = await destination.create("x", null);
  await writer.write(content.subarray(0, 3 * MIB));
  relay.freeze();
  void systemClock.sleep(2500).then(() => relay.thaw());
  await writer.write(content.subarray(3 * MIB));
  await writer.commit();
  await destination.close();
  equal(await Deno.readFile(`${sshd.directory}/x`), content);
});

Deno.test("a cancel ends work at a silent server, and the SSH session with it", async () => {
  using _awake = keepAwake();
  await using sshd = await TestSshd.open();
  await using relay = new FreezingRelay(sshd.port);
  const cancel = new AbortController();
  const destination = await openDestination(
    { ...sshdSpec(sshd), port: relay.port },
    portsOf({ signal: cancel.signal }),
  );
  const writer = await destination.create("x", null);
  await writer.write(noise(MIB));
  relay.freeze();
  const waiting = [destination.size("x"), writer.write(noise(4 * MIB)), destination.findLocation()];
  await systemClock.sleep(100);
  cancel.abort(new RunAbortedError("cancelled", "Stopped by hand."));
  for (const work of await Promise.allSettled(waiting)) {
    assert.ok(work.status === "rejected" && work.reason instanceof RunAbortedError, Deno.inspect(work));
  }
  await destination.close();
  await until(() => relay.open === 0);
});
