/** A tree that is backed up, to be restored by the engine alone. */
import assert from "node:assert/strict";
import { BackupDamagedError, RunFailedError } from "../../agent/engine/ports.ts";
import type { BackupJob, StoredBackup } from "../../src/protocol/job.ts";
import { BackupRun, shell } from "./backup_run.ts";

export interface Fixture extends AsyncDisposable {
  run: BackupRun;
  tree: string;
  backup: StoredBackup;
  /** A path where nothing exists. */
  target: string;
}

/** Backs up a tree that `grow` makes: a shell script that gets the tree's path as `$1`, or a function. */
export async function backedUp(
  grow: string | ((tree: string) => Promise<unknown>),
  changes: Partial<BackupJob> = {},
): Promise<Fixture> {
  const run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await Deno.mkdir(tree);
  await (typeof grow === "string" ? shell(`cd "$1"; ${grow}`, tree) : grow(tree));
  const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
  const backup = await run.run(source, changes);
  return {
    run,
    tree,
    backup,
    target: `${run.root}/target`,
    [Symbol.asyncDispose]: async () => {
      await shell('chmod -R u+rwx "$1"', run.root);
      await run[Symbol.asyncDispose]();
    },
  };
}

/** Returns the reason of a restore that fails. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^Cannot restore backup 31: [^\n]+$/);
  return error.message;
}

export const isNoDamage = (error: Error) =>
  error instanceof RunFailedError && !(error instanceof BackupDamagedError);

export const names = (directory: string) => [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

/** Asserts that a restore left nothing in or next to the target. */
export function assertNothingLeft({ run }: Fixture): void {
  const found = [...Deno.readDirSync(run.root)].filter(({ name }) => name.startsWith("."));
  assert.deepEqual(found.map(({ name }) => name), []);
  for (const path of run.scratches) assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
}
