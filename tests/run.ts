/**
 * `deno task test [PATH…]`: sets up the system, starts one Postgres for the whole run, runs all test files in
 * parallel, and prints a last line, `N passed, N failed`. With CI=true a skipped test counts as failed.
 */
import { setUp } from "./setup.ts";
import { startTestPostgres } from "./support/servers/postgres.ts";

const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/**
 * Runs `deno test` and forwards its output. Resolves with its counts; if there are none, with one failure.
 */
async function runTests(url: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--parallel", ...Deno.args],
    env: { TEST_DATABASE_URL: url, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let summary: RegExpExecArray | null = null;
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) summary = SUMMARY.exec(line) ?? summary;
  }
  const { code } = await child.status;
  if (summary === null) return { code, passed: 0, failed: 1, ignored: 0 };
  return { code, passed: Number(summary[1]), failed: Number(summary[2]), ignored: Number(summary[3] ?? 0) };
}

async function main(): Promise<number> {
  try {
    await setUp();
  } catch (error) {
    print((error as Error).message);
    return 1;
  }
  const { url, postgres } = await startTestPostgres();
  const result = await runTests(url);
  await postgres.stop();
  let { failed } = result;
  if (result.ignored > 0) {
    print(
      `${result.ignored} skipped${
        Deno.env.get("CI") === "true" ? ": with CI=true they count as failed" : ""
      }`,
    );
    if (Deno.env.get("CI") === "true") failed += result.ignored;
  }
  if (result.code !== 0 && failed === 0) failed = 1; // a file that could not be loaded is in no count
  print(`${result.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

Deno.exit(await main());
