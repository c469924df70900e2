import assert from "node:assert/strict";
import { sshdSpec } from "../../../../tests/support/fixtures/destinations.ts";
import { mountTmpfs } from "../../../../tests/support/fixtures/tmpfs.ts";
import { TestSshd } from "../../../../tests/support/servers/sshd.ts";
import { until } from "../../../../tests/support/assertions/until.ts";
import { systemClock } from "../../../../src/domain/clock.ts";
import { RunFailedError } from "../../ports.ts";
import type { DestinationPorts } from "../destination_type.ts";
import { openDestination } from "../destinations.ts";
import { SftpSession } from "./session.ts";

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

function open(sshd: TestSshd, directory = sshd.directory, changes: Partial<DestinationPorts> = {}) {
  return openDestination(sshdSpec(sshd, directory), portsOf(changes));
}

/** Limits without retries: the first failure of a connection ends the work. */
const IMPATIENT = { limits: { idleMs: 60_000, patienceMs: 0 } };

async function reason(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^Cannot [^\n]+$/);
  return error.message;
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("only the account itself gets into what is made", async () => {
  await using sshd = await TestSshd.open();
  const destination = await open(sshd, `${sshd.directory}/a/b`);
  const writer = await destination.create("x", null);
  await writer.commit();
  await destination.close();
  assert.equal(Deno.statSync(`${sshd.directory}/a/b/x`).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(`${sshd.directory}/a`).mode! & 0o777, 0o700);
});

Deno.test("a relative path starts at the account's own directory", {
  // If the tests do not run as root, the server logs in as the user who runs them. That user's home directory
  // does not belong to the tests.
  ignore: Deno.uid() !== 0,
}, async () => {
  await using sshd = await TestSshd.open();
  for (const [directory, path] of [[".", "x"], ["sub/dir", "sub/dir/x"]] as const) {
    const destination = await open(sshd, directory);
    const writer = await destination.create("x", null);
    await writer.write(new Uint8Array(3));
    await writer.commit();
    await destination.close();
    assert.equal(Deno.statSync(`${sshd.directory}/${path}`).size, 3);
  }
});

Deno.test("a partial file of a run that died is replaced", async () => {
  await using sshd = await TestSshd.open();
  await Deno.writeTextFile(`${sshd.directory}/.x.partial`, "left behind by a run that died");
  const destination = await open(sshd);
  const writer = await destination.create("x", null);
  await writer.write(new Uint8Array(3));
  await writer.commit();
  await destination.close();
  assert.deepEqual(names(sshd.directory), ["x"]);
});

/**
 * Runs `work` with a connection that breaks during the first rename. The server has then renamed the file,
 * but its response is lost. `cut` resolves once the connection is lost.
 */
async function losingRename(sshd: TestSshd, work: (cut: Promise<void>) => Promise<void>): Promise<void> {
  const { rename } = SftpSession.prototype;
  const cut = Promise.withResolvers<void>();
  let isCut = false;
  SftpSession.prototype.rename = async function (from, to) {
    await rename.call(this, from, to);
    if (isCut) return;
    isCut = true;
    await sshd.kill();
    await until(() => this.isLost);
    cut.resolve();
    throw new RunFailedError("Cannot rename: the connection was lost");
  };
  try {
    await work(cut.promise);
  } finally {
    SftpSession.prototype.rename = rename;
  }
}

Deno.test("a rename whose answer is lost with the connection leaves nothing under the final name", async () => {
  await using sshd = await TestSshd.open();
  const destination = await open(sshd, sshd.directory, IMPATIENT);
  const writer = await destination.create("x", null);
  await writer.write(new Uint8Array(3));
  await losingRename(sshd, () => assert.rejects(writer.commit(), /the connection was lost/));
  assert.deepEqual(names(sshd.directory), ["x"]);
  await sshd.start();
  await writer.abort();
  await destination.close();
  assert.deepEqual(names(sshd.directory), []);
});

Deno.test("a rename whose answer is lost is found to be done by the next connection", async () => {
  await using sshd = await TestSshd.open();
  const destination = await open(sshd);
  const writer = await destination.create("x", null);
  await writer.write(new Uint8Array(3));
  await losingRename(sshd, async (cut) => {
    const committed = writer.commit();
    await cut;
    await sshd.start();
    await committed;
  });
  await destination.close();
  assert.deepEqual(names(sshd.directory), ["x"]);
});

Deno.test("a file that takes the name while the object is written is not overwritten", async () => {
  await using sshd = await TestSshd.open();
  const destination = await open(sshd);
  const writer = await destination.create("x", null);
  await Deno.writeTextFile(`${sshd.directory}/x`, "theirs");
  assert.match(await reason(writer.commit()), /another file took its name/);
  await writer.abort();
  await destination.close();
  assert.deepEqual(names(sshd.directory), ["x"]);
  assert.equal(await Deno.readTextFile(`${sshd.directory}/x`), "theirs");
});

Deno.test("failures say what is wrong with the path", async () => {
  await using sshd = await TestSshd.open();
  await Deno.mkdir(`${sshd.directory}/closed`, { mode: 0o555 });
  await Deno.chown(`${sshd.directory}/closed`, sshd.uid, sshd.gid);
  await Deno.writeTextFile(`${sshd.directory}/file`, "");
  await Deno.symlink("/nowhere", `${sshd.directory}/link`);
  for (
    const [directory, expected] of [
      [`${sshd.directory}/closed`, /the user lacks the permission/],
      [`${sshd.directory}/closed/sub`, /the user lacks the permission/],
      [`${sshd.directory}/file`, /a file has that name/],
      [`${sshd.directory}/link`, /a symbolic link of that name has no target/],
      [`${sshd.directory}/${"n".repeat(256)}`, /it may be too long/],
    ] as const
  ) {
    const destination = await open(sshd, directory);
    assert.match(await reason(destination.create("x", null)), expected);
    await destination.close();
  }
});

Deno.test("a connection cut in the middle fails work without patience, and its partial file goes with the next one", async () => {
  await using sshd = await TestSshd.open();
  const destination = await open(sshd, sshd.directory, IMPATIENT);
  const writer = await destination.create("x", null);
  await writer.write(new Uint8Array(3 * MIB));
  await sshd.kill();
  const sending = (async () => {
    for (;;) await writer.write(new Uint8Array(MIB));
  })();
  assert.match(await reason(sending), /the connection was lost/);
  assert.match(await reason(writer.abort()), /refuses the connection/);
  assert.deepEqual(names(sshd.directory), [".x.partial"]);
  await sshd.start();
  await destination.remove("x");
  assert.deepEqual(names(sshd.directory), []);
  await destination.close();
});

Deno.test("a log-in shell that prints text is named as what is in the way", {
  // The test needs root. Without root, the SSH user is the user who runs the tests, and the shell of this
  // user prints nothing.
  ignore: Deno.uid() !== 0,
}, async () => {
  await using sshd = await TestSshd.open("through the shell");
  assert.match(
    await reason(open(sshd)),
    /^Cannot open SFTP at \S+: the log-in shell of this user prints text \("This…"\) before SFTP begins\. Let its /,
  );
});

const needsRoot = { ignore: Deno.uid() !== 0 };

Deno.test("what a server calls a mere failure is told by the state of its disk", needsRoot, async () => {
  await using sshd = await TestSshd.open();
  for (
    const [option, expected] of [
      ["ro", /its file system is read-only\. Mount it for writing/],
      ["nr_inodes=1", /its disk can hold no more files/],
    ] as const
  ) {
    await using _mount = await mountTmpfs(`${sshd.directory}/disk`, MIB * 8, option);
    for (const directory of [`${sshd.directory}/disk`, `${sshd.directory}/disk/a/b`]) {
      const destination = await open(sshd, directory);
      assert.match(await reason(destination.create("x", null)), expected);
      await destination.close();
    }
  }
});

Deno.test("a user who may not remove files can store them", async () => {
  await using sshd = await TestSshd.open("internal", "ForceCommand internal-sftp -P remove");
  const destination = await open(sshd);
  await (await destination.create("x", null)).commit();
  await destination.close();
  assert.deepEqual(names(sshd.directory), ["x"]);
});

Deno.test("what the server says in place of SFTP is told", needsRoot, async () => {
  const opening = async (expected: RegExp, ...settings: string[]) => {
    await using sshd = await TestSshd.open("through the shell", ...settings);
    if (settings.length === 0) await sshd.expirePassword();
    const spec = { ...sshdSpec(sshd), private_key: null, password: sshd.password };
    assert.match(await reason(openDestination(spec, portsOf(IMPATIENT))), expected);
  };
  await opening(/: the server says: WARNING: Your password has expired\. Password change required/i);
  await opening(/the server opens no session for this user\. Check MaxSessions/, "MaxSessions 0");
  await opening(/right after the log-in\. .*ChrootDirectory/, "ChrootDirectory /tmp");
});
