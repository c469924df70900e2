/**
 * Installs the packages of deno.json quietly. `deno task start` and similar tasks run this file first, so
 * this file imports no package. Does not install the `devDependencies` of package.json, which only tests
 * and benches import. If they are installed already, keeps them.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { printError } from "./terminal.ts";

/** The parts of deno.lock that name the packages of package.json. */
interface LockFile {
  specifiers: Record<string, string>;
  workspace: { packageJson?: { dependencies?: string[] } };
}

/**
 * Times in milliseconds. After `FIRST_REPORT`, a message says that an installation is still running. Further
 * messages follow at intervals of `REPORT`.
 */
const FIRST_REPORT = 500;
const REPORT = 10_000;

const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const INSTALLED = `${PROJECT}/node_modules/.deno`;
/** File with the hash of the lock file. It is written once all packages in the lock file are installed. */
const STAMP = `${PROJECT}/node_modules/.rearguard`;

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const lockFile = await Deno.readTextFile(`${PROJECT}/deno.lock`);
  const hash = createHash("sha256").update(lockFile).digest("hex");
  if (await readText(STAMP) === hash) return 0;
  const problem = await install(lockFile);
  if (problem === null) {
    // Writing fails if the checkout belongs to another user. In this case, no start finds a stamp, so every
    // start checks the packages.
    await Deno.writeTextFile(STAMP, hash).catch(() => {});
    return 0;
  }
  printError(`Cannot install the packages: ${problem}`);
  return await exists(INSTALLED) ? 0 : 1; // the program that misses a package reports its name
}

/** Installs the packages. Returns what went wrong; null if nothing did. */
async function install(lockFile: string): Promise<string | null> {
  const hasTestPackages = await exists(`${PROJECT}/node_modules/fast-check`);
  if (hasTestPackages) return await runInstall(["--frozen"]);
  const lockPath = await Deno.makeTempFile({ prefix: "rearguard-", suffix: ".lock" });
  try {
    await Deno.writeTextFile(lockPath, JSON.stringify(withoutTestPackages(JSON.parse(lockFile))));
    return await runInstall(["--prod", "--skip-types", `--lock=${lockPath}`]);
  } finally {
    await Deno.remove(lockPath);
  }
}

/**
 * Returns a copy of the lock file that does not name the test packages. `deno install --prod` installs every
 * package that the lock file names.
 */
function withoutTestPackages({ specifiers, workspace, ...lock }: LockFile): LockFile {
  const { packageJson = {}, ...kept } = workspace;
  const left = Object.entries(specifiers).filter(([name]) => !packageJson.dependencies?.includes(name));
  return { ...lock, specifiers: Object.fromEntries(left), workspace: kept };
}

async function runInstall(options: readonly string[]): Promise<string | null> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  let hasReported = false;
  const report = () => {
    printError(hasReported ? `… ${seconds()} s` : "Installing the packages that Rearguard needs (once) …");
    hasReported = true;
  };
  let interval: ReturnType<typeof setInterval> | undefined;
  const timeout = setTimeout(() => {
    report();
    interval = setInterval(report, REPORT);
  }, FIRST_REPORT);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", ...options],
    cwd: PROJECT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  clearTimeout(timeout);
  clearInterval(interval);
  if (!success) return new TextDecoder().decode(stderr).trim().split("\n")[0]!.replace(/^error: /, "");
  if (hasReported) printError(`Installed ${await countInstalled()} packages in ${seconds()} s.`);
  return null;
}

async function countInstalled(): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(INSTALLED)) {
    if (name.includes("@")) count++;
  }
  return count;
}

async function readText(path: string): Promise<string | null> {
  return await Deno.readTextFile(path).catch(() => null);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
