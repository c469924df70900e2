/**
 * Checks that each successful run can be restored: its objects are as recorded, and stock tools restore the
 * source from them.
 */
import { createHash } from "node:crypto";
import { shell } from "../support/fixtures/backup_run.ts";
import { type Manifest, restoreStored } from "../support/fixtures/restore.ts";
import type { Stage, StagedTask } from "./stage.ts";
import { describe } from "./trees.ts";

interface StoredObject {
  readonly backup_id: number;
  readonly directory: string;
  readonly role: string;
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export async function successesRestore(stage: Stage): Promise<string[]> {
  const problems: string[] = [];
  for (const [index, task] of stage.tasks.entries()) {
    const { backups, succeeded } = await recordsOf(stage, task);
    // Retention removes only backups that newer backups have replaced.
    const kept = task.keep === 0 ? succeeded : Math.min(task.keep, succeeded);
    if (backups.size !== kept) {
      problems.push(
        `task ${index} has ${succeeded} successful runs and ${backups.size} backups, not ${kept}`,
      );
    }
    for (const [id, objects] of backups) {
      try {
        problems.push(
          ...(await judge(stage, task, objects)).map((is) => `backup ${id} of task ${index}: ${is}`),
        );
      } catch (error) {
        problems.push(`backup ${id} of task ${index} can't be restored: ${(error as Error).message}`);
      }
    }
  }
  return problems;
}

async function recordsOf({ world }: Stage, { id }: StagedTask) {
  return await world.sql(async (sql) => {
    const objects = await sql<StoredObject[]>`
      select o.*, b.directory from backups b join backup_objects o on o.backup_id = b.id
      where b.backup_task_id = ${id} order by o.backup_id, o.ordinal`;
    const [runs] = await sql<{ count: number }[]>`
      select count(*)::int as count from runs where backup_task_id = ${id} and state = 'succeeded'`;
    return { backups: Map.groupBy(objects, ({ backup_id }) => backup_id), succeeded: runs!.count };
  });
}

async function judge(
  { world }: Stage,
  task: StagedTask,
  objects: readonly StoredObject[],
): Promise<string[]> {
  const problems: string[] = [];
  const place = world.places.all[task.place];
  const directory = await Deno.makeTempDir({ prefix: "rearguard-restored-" });
  try {
    for (const { directory: at, name, sha256, size } of objects) {
      const bytes = await place.read(`${at.slice(place.root.length).replace(/^\//, "")}/${name}`);
      await Deno.writeFile(`${directory}/${name}`, bytes);
      if (bytes.length !== size) problems.push(`${name} has ${bytes.length} bytes, not ${size}`);
      if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
        problems.push(`${name} is not what its row says`);
      }
    }
    const name = objects.find(({ role }) => role === "manifest")?.name;
    if (name === undefined) return [...problems, "it has no manifest"];
    const manifest = JSON.parse(await Deno.readTextFile(`${directory}/${name}`)) as Manifest;
    for (const { name, sha256 } of manifest.objects) {
      if (objects.find((object) => object.name === name)?.sha256 !== sha256) {
        problems.push(`${name} is not what the manifest says`);
      }
    }
    const target = `${directory}/target`;
    await Deno.mkdir(target);
    const restoration = (line: string) =>
      Promise.resolve({ line: line.replace("TARGET", '"$TARGET"'), env: { TARGET: target } });
    await restoreStored(directory, manifest, { restoration }, null);
    problems.push(...differences(world.trees[task.tree].description, await describe(target)));
    return problems;
  } finally {
    await shell('chmod -R u+rwx "$1"; rm -rf "$1"', directory);
  }
}

function differences(source: readonly string[], restored: readonly string[]): string[] {
  const [had, has] = [new Set(source), new Set(restored)];
  return [
    ...source.filter((line) => !has.has(line)).map((line) => `restored without ${line}`),
    ...restored.filter((line) => !had.has(line)).map((line) => `restored with ${line}`),
  ];
}
