import assert from "node:assert/strict";

const PROGRAM = `
  import { logger, setUpLogging } from "${new URL("./logging.ts", import.meta.url)}";
  await setUpLogging({ level: "info", format: Deno.args[0] });
  const error = new Error("outer", { cause: new Error("inner") });
  logger("part").error("Cannot do it: {error}. Tried {times} times.", { error, times: 3, extra: "more" });
  logger("part").debug("not shown");
`;

/** Runs a process that logs, and returns its standard error. Checks that its standard output is empty. */
async function log(format: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--ext=js", "-", format],
    cwd: new URL(".", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM));
  await writer.close();
  const { stdout, stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "");
  return new TextDecoder().decode(stderr);
}

Deno.test("json logs one object per line, with the stacks of errors and their causes", async () => {
  const lines = (await log("json")).trimEnd().split("\n");
  assert.equal(lines.length, 1);
  const { message, level, logger, error, times, extra } = JSON.parse(lines[0]!);
  assert.deepEqual({ level, logger, times, extra }, {
    level: "ERROR",
    logger: "rearguard.part",
    times: 3,
    extra: "more",
  });
  assert.match(message, /^Cannot do it: .?outer.?\. Tried 3 times\.$/);
  assert.match(error, /^Error: outer\n[^]*Caused by: Error: inner\n/);
});

Deno.test("pretty shows each value once", async () => {
  const text = await log("pretty");
  assert.match(text, /error rearguard·part Cannot do it: .?outer.?\. Tried 3 times\./);
  assert.match(text, /extra: 'more'/);
  assert.doesNotMatch(text, /times: 3/);
  assert.match(text, /^ +Error: outer$/m);
  assert.match(text, /^ +Caused by: Error: inner$/m);
  assert.doesNotMatch(text, /not shown/);
});
