/**
 * `deno task test [PATH…]`: installs missing programs, starts one Postgres for the whole run, and runs all
 * test files in parallel. Prints the slowest tests, the processor time and a last line, `N passed, N failed`.
 * With CI=true, a skipped test counts as failed.
 */
import { countTestFiles } from "./runner/files.ts";
import { processorTime } from "./runner/processor_time.ts";
import { Report } from "./runner/report.ts";
import type { Summary } from "./runner/results.ts";
import { makeTemporaryDirectory } from "./runner/temporary.ts";
import { setUp } from "./setup.ts";
import { QUICK_IMPORTS } from "./support/clients/quick_agent.ts";
import { startTestPostgres } from "./support/servers/postgres.ts";

const stdout = {
  write: (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(text)),
  columns: () => Deno.stdout.isTerminal() ? Deno.consoleSize().columns : null,
};

/**
 * Runs `deno test` and reports its output. Resolves with the numbers of passed, failed and ignored tests. If
 * the output has no such numbers, one test counts as failed. Types are not checked here, because `deno task
 * check` also checks the types of tests.
 */
async function runTests(environment: Record<string, string>): Promise<Summary & { code: number }> {
  const paths = Deno.args.filter((argument) => !argument.startsWith("-"));
  const report = new Report(stdout, await countTestFiles(paths.length > 0 ? paths : ["."]));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "--parallel", `--import-map=${QUICK_IMPORTS}`, ...Deno.args],
    env: { ...environment, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const ticking = setInterval(() => report.tick(), 1000);
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) report.add(text);
  const { code } = await child.status;
  clearInterval(ticking);
  report.end();
  return { code, ...report.summary ?? { passed: 0, failed: 1, ignored: 0 } };
}

async function main(): Promise<number> {
  try {
    await setUp();
  } catch (error) {
    stdout.write(`${(error as Error).message}\n`);
    return 1;
  }
  const directory = await makeTemporaryDirectory();
  const { url, postgres } = await startTestPostgres(directory);
  const templates = `${directory}/templates`;
  await Deno.mkdir(templates);
  const result = await runTests({ TEST_DATABASE_URL: url, TEST_TEMPLATES: templates, TMPDIR: directory });
  const [own, postgresTime] = [await processorTime("self"), await processorTime(postgres.pid)];
  await postgres.stop();
  let { failed } = result;
  if (result.ignored > 0) {
    const inCi = Deno.env.get("CI") === "true";
    stdout.write(`${result.ignored} skipped${inCi ? ": with CI=true they count as failed" : ""}\n`);
    if (inCi) failed += result.ignored;
  }
  if (result.code !== 0 && failed === 0) failed = 1; // a file that could not be loaded is in no count
  if (own !== null) {
    const seconds = Math.round(own + (postgresTime ?? 0));
    stdout.write(`Processor time: ${Math.floor(seconds / 60)} min ${seconds % 60} s\n`);
  }
  stdout.write(`${result.passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

Deno.exit(await main());
