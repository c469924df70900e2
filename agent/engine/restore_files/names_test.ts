import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { Children } from "../programs/children.ts";
import { makeFifo } from "../programs/fifo.ts";
import { RunFailedError } from "../ports.ts";
import { joinNames, statNames } from "./names.ts";

/** Where a directory with `a` and `b` is, and a list of names that are to be looked for there. */
async function looking(
  names: string[],
  look: (directory: string, list: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/in`);
    for (const name of ["a", "b"]) await Deno.writeTextFile(`${root}/in/${name}`, name);
    await Deno.writeFile(`${root}/list`, joinNames(names));
    await look(`${root}/in`, `${root}/list`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("names that are there are told of, those that are not are left out", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await looking(["a", "c", "b"], async (directory, list) => {
    assert.deepEqual(await statNames(directory, list, "%s", children), [["1", "a"], ["1", "b"]]);
    assert.deepEqual(await statNames(`${directory}/none`, list, "%s", children), []);
  });
  await looking(["c"], async (directory, list) => {
    assert.deepEqual(await statNames(directory, list, "%s", children), []);
  });
});

const isNoAnswer = (error: Error) => {
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^what is in \S+ can't be told: xargs /);
  return true;
};

Deno.test("a look that is killed half way is no answer", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await looking([], async (directory, list) => {
    const slow = `${list}.slow`;
    await makeFifo(slow, null, children);
    const rejected = assert.rejects(statNames(directory, slow, "%s", children), isNoAnswer);
    using names = await Deno.open(slow, { write: true });
    await names.write(joinNames(["a"]));
    let pid: number | null = null;
    await until(() => (pid = programIn(directory)) !== null);
    Deno.kill(pid!, "SIGKILL");
    await rejected;
  });
});

Deno.test("a look that can't begin is no answer", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await looking(["a"], async (directory, list) => {
    await assert.rejects(statNames(`${directory}/b`, list, "%s", children), isNoAnswer);
  });
});

/** The process that works in a directory. */
function programIn(directory: string): number | null {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/cwd`) !== directory) continue;
      if (Deno.readTextFileSync(`/proc/${name}/comm`) === "xargs\n") return Number(name);
    } catch {
      // It ended meanwhile.
    }
  }
  return null;
}
