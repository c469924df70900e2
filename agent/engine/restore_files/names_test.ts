import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { Children } from "../programs/children.ts";
import { makeFifo } from "../programs/fifo.ts";
import { RunFailedError } from "../ports.ts";
import { joinNames, statNames } from "./names.ts";

/** Runs a test with a directory that contains `a` and `b`, and with a file that lists `names`. */
async function withNames(
  names: string[],
  test: (directory: string, list: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/in`);
    for (const name of ["a", "b"]) await Deno.writeTextFile(`${root}/in/${name}`, name);
    await Deno.writeFile(`${root}/list`, joinNames(names));
    await test(`${root}/in`, `${root}/list`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("existing names are returned, missing ones are left out", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await withNames(["a", "c", "b"], async (directory, list) => {
    assert.deepEqual(await statNames(directory, list, "%s", children), [["1", "a"], ["1", "b"]]);
    assert.deepEqual(await statNames(`${directory}/none`, list, "%s", children), []);
  });
  await withNames(["c"], async (directory, list) => {
    assert.deepEqual(await statNames(directory, list, "%s", children), []);
  });
});

const isListingFailure = (error: Error) => {
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^the contents of \S+ can't be listed: xargs /);
  return true;
};

Deno.test("a listing that is killed rejects", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await withNames([], async (directory, list) => {
    const slow = `${list}.slow`;
    await makeFifo(slow, null, children);
    const rejected = assert.rejects(statNames(directory, slow, "%s", children), isListingFailure);
    using names = await Deno.open(slow, { write: true });
    await names.write(joinNames(["a"]));
    let pid: number | null = null;
    await until(() => (pid = programIn(directory)) !== null);
    Deno.kill(pid!, "SIGKILL");
    await rejected;
  });
});

Deno.test("a listing that cannot begin rejects", async () => {
  await using children = new Children(systemClock, new AbortController().signal);
  await withNames(["a"], async (directory, list) => {
    await assert.rejects(statNames(`${directory}/b`, list, "%s", children), isListingFailure);
  });
});

/**
 * Returns the process id of the xargs whose working directory is `directory`; null if no such process runs.
 */
function programIn(directory: string): number | null {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/cwd`) !== directory) continue;
      if (Deno.readTextFileSync(`/proc/${name}/comm`) === "xargs\n") return Number(name);
    } catch {
      // The process has ended in the meantime.
    }
  }
  return null;
}
