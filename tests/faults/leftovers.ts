/** Compares the objects at destinations and the agents' own directories with the records. */
import { processTree } from "../../agent/engine/programs/process_tree.ts";
import { PLACES } from "./plan.ts";
import { sessionMembers } from "./processes.ts";
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

/**
 * Compares the objects at every destination with the database. This also finds leftovers of earlier plans.
 *
 * At the start, makes pending removals due at once. Otherwise they might wait five minutes for the lease of a
 * killed control plane to end, or wait for a retry.
 */
export async function objectsMatchRows({ world }: Pick<Stage, "world">): Promise<string[]> {
  await hastenRemovals(world);
  const problems: string[] = [];
  const waiting = await world.sql((sql) =>
    sql<{ what: string }[]>`
      select 'backup ' || id || ' waits to be removed: ' || coalesce(removal_error, 'not tried') as what
      from backups where removal_requested_at is not null
      union all
      select 'leftover ' || name || ' of run ' || run_id || ': ' || coalesce(error, 'not tried') from leftovers`
  );
  problems.push(...waiting.map(({ what }) => what));
  for (const place of PLACES) {
    const rows = await world.sql((sql) =>
      sql<{ path: string }[]>`
        select b.directory || '/' || o.name as path from backups b join backup_objects o on o.backup_id = b.id
        where b.backup_destination_id = ${world.destinations[place]} order by 1`
    );
    const { root } = world.places.all[place];
    const recorded = new Set(rows.map(({ path }) => path.slice(root.length).replace(/^\//, "")));
    const stored = new Set(await world.places.all[place].list());
    for (const path of stored) {
      if (!recorded.has(path)) problems.push(`${place}: ${path} is there without a row`);
    }
    for (const path of recorded) {
      if (!stored.has(path)) problems.push(`${place}: ${path} has a row and is not there`);
    }
  }
  return problems;
}

async function hastenRemovals(world: World): Promise<void> {
  await world.sql(async (sql) => {
    await sql`update leftovers set next_removal_at = now()`;
    await sql`update backups set next_removal_at = now(), deletes_at = least(deletes_at, now()) where removal_requested_at is not null`;
    await sql`select pg_notify('rearguard', ${'{"topic":"removal_due"}'})`;
  });
}

export async function nothingLeft({ world }: Pick<Stage, "world">): Promise<string[]> {
  const problems: string[] = [];
  for (const [index, { stateDisk, temporary }] of world.agents.entries()) {
    for (const directory of [`${stateDisk.path}/state/work`, `${stateDisk.path}/state/journal`, temporary]) {
      for await (const { name } of Deno.readDir(directory)) {
        problems.push(`agent ${index} has left ${directory.slice(world.root.length + 1)}/${name}`);
      }
    }
  }
  for await (const { name } of Deno.readDir(world.temporary)) {
    problems.push(`a control plane has left ${name} in its temporary directory`);
  }
  for (const place of PLACES) {
    for (const key of await world.places.all[place].openUploads()) {
      problems.push(`${place}: an upload of ${key} is open`);
    }
  }
  problems.push(
    ...sessionMembers(world.sessions).map((member) => `an agent's program still runs: ${member}`),
  );
  for (const [index, { supervisor }] of world.planes.entries()) {
    const { pid } = supervisor.current ?? {};
    if (pid !== undefined && processTree(pid).length > 1) {
      problems.push(`control plane ${index} has child processes`);
    }
  }
  return problems;
}
