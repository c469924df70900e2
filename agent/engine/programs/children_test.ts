import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { capture } from "./capture.ts";
import { Children, type Command } from "./children.ts";
import { processTree, type RunningProcess } from "./process_tree.ts";
import { findUser } from "./find_user.ts";

const sh = (script: string, ...args: string[]): Command => ({
  program: "sh",
  args: ["-c", script, "sh", ...args],
});

/**
 * Waits until all processes have ended, because a killed process takes a moment to end. Fails if one keeps
 * running.
 */
async function waitForExit(tree: readonly RunningProcess[]): Promise<void> {
  await until(() => {
    const running = tree.flatMap(({ pid }) => processTree(pid)).map(({ startTime }) => startTime);
    return tree.every(({ startTime }) => !running.includes(startTime));
  });
}

/** Starts a program. Resolves with its child once the program has printed a line. */
function waitForStart(children: Children, command: Command) {
  return new Promise<ReturnType<Children["spawn"]>>((resolve) => {
    const child = children.spawn(command, { stdout: "null", onMessage: () => resolve(child) });
  });
}

Deno.test("aborting a run ends its programs and their descendants", async () => {
  const abort = new AbortController();
  await using children = new Children(systemClock, abort.signal);
  const child = await waitForStart(children, sh("sleep 100 & sleep 100 & echo up >&2; wait"));
  const tree = processTree(child.pid);
  assert.equal(tree.length, 3);
  abort.abort(new Error("enough"));
  assert.equal((await child.exited).signal, "SIGTERM");
  await children.terminate();
  await waitForExit(tree);
});

Deno.test("a program that ignores SIGTERM is killed after the grace period", async () => {
  const clock = new TestClock();
  const children = new Children(clock, new AbortController().signal);
  const child = await waitForStart(children, sh("trap '' TERM; echo up >&2; while :; do sleep 100; done"));
  const tree = processTree(child.pid);
  const terminated = children.terminate();
  await clock.advance(2000);
  await terminated;
  assert.equal((await child.exited).signal, "SIGKILL");
  await waitForExit(tree);
});

Deno.test("programs with redirects end when the agent is killed", async () => {
  const directory = await Deno.makeTempDir();
  const users = Deno.uid() === 0 ? [null, { name: "nobody", uid: 65534, gid: 65534, home: "/" }] : [null];
  const script = `
    import { Children } from "${new URL("children.ts", import.meta.url)}";
    import { systemClock } from "${new URL("../../../src/domain/clock.ts", import.meta.url)}";
    const children = new Children(systemClock, new AbortController().signal);
    const redirects = [{ descriptor: 3, direction: ">", path: "${directory}/file" }];
    for (const user of ${JSON.stringify(users)}) {
      const command = { program: "sh", args: ["-c", "echo $$ >&2; exec sleep 100"], user, redirects };
      children.spawn(command, { stdout: "null", onMessage: (line) => console.log(line) });
    }`;
  const agent = new Deno.Command(Deno.execPath(), { args: ["eval", script], stdout: "piped" }).spawn();
  let printed = "";
  for await (const text of agent.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (printed.trimEnd().split("\n").length === users.length && printed.endsWith("\n")) break;
  }
  const programs = printed.trimEnd().split("\n").flatMap((pid) => processTree(Number(pid)));
  assert.equal(programs.length, users.length);
  agent.kill("SIGKILL");
  await agent.status;
  await waitForExit(programs);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a program that is blocked opening a FIFO ends when the agent is killed", async () => {
  const directory = await Deno.makeTempDir();
  await new Deno.Command("mkfifo", { args: [`${directory}/fifo`] }).output();
  const script = `
    import { Children } from "${new URL("children.ts", import.meta.url)}";
    import { systemClock } from "${new URL("../../../src/domain/clock.ts", import.meta.url)}";
    const children = new Children(systemClock, new AbortController().signal);
    const redirects = [{ descriptor: 0, direction: "<", path: "${directory}/fifo" }];
    const command = { program: "sleep", args: ["100"], redirects };
    console.log(children.spawn(command, { stdout: "null", onMessage() {} }).pid);`;
  const agent = new Deno.Command(Deno.execPath(), { args: ["eval", script], stdout: "piped" }).spawn();
  let printed = "";
  for await (const text of agent.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (printed.endsWith("\n")) break;
  }
  const pid = Number(printed);
  await until(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("sh\0"));
  const waiting = processTree(pid);
  agent.kill("SIGKILL");
  await agent.status;
  await waitForExit(waiting);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("no program starts once the run has ended", async () => {
  const children = new Children(systemClock, new AbortController().signal);
  await children.terminate();
  assert.throws(() => children.spawn(sh("true"), { stdout: "null", onMessage() {} }), /the run is ending/);
});

Deno.test("arguments and paths are never interpreted as shell code", async () => {
  const root = await Deno.makeTempDir();
  const directory = `${root}/it's "$(touch x)" -d`;
  try {
    await Deno.mkdir(directory);
    await Deno.writeTextFile(`${directory}/in put`, "from the file");
    await using children = new Children(systemClock, new AbortController().signal);
    const answer = await capture(children, {
      ...sh('cat <&3; printf "|%s" "$@"', "a b", "$(id)", "-x", "'"),
      redirects: [{ descriptor: 3, direction: "<", path: `${directory}/in put` }],
    });
    assert.equal(answer.stdout, "from the file|a b|$(id)|-x|'");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a program gets a clean environment", async () => {
  // deno-lint-ignore rearguard-tests/shared-environment -- no other test reads it
  Deno.env.set("REARGUARD_TEST_SECRET", "hush");
  try {
    await using children = new Children(systemClock, new AbortController().signal);
    const { stdout } = await capture(children, { program: "env", args: [], env: { EXTRA: "1" } });
    const names = stdout.trim().split("\n").map((line) => line.split("=")[0]).sort();
    assert.deepEqual(names.filter((name) => !["USER", "LOGNAME"].includes(name!)), [
      "EXTRA",
      "HOME",
      "LC_ALL",
      "PATH",
    ]);
  } finally {
    // deno-lint-ignore rearguard-tests/shared-environment -- no other test reads it
    Deno.env.delete("REARGUARD_TEST_SECRET");
  }
});

Deno.test({
  name: "another user's program has that user's ids, groups and home, and files it could not open itself",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      await using children = new Children(systemClock, new AbortController().signal);
      const user = await findUser(children, "nobody");
      await Deno.writeTextFile(`${directory}/for nobody`, "readable by descriptor");
      const answer = await capture(children, {
        ...sh(
          'id -un; echo "$HOME"; cat <&3; cat "$1" 2>/dev/null || echo " only"',
          `${directory}/for nobody`,
        ),
        user,
        redirects: [{ descriptor: 3, direction: "<", path: `${directory}/for nobody` }],
      });
      assert.equal(answer.stdout, `nobody\n${user!.home}\nreadable by descriptor only\n`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("an unknown user, an option and a number are not users", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  for (const name of ["no-such-user-here", "--help", "0"]) assert.equal(await findUser(children, name), null);
});
