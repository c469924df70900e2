/** The agent's findings before a restore: what is in the way, and the final paths. */
import type { Schema } from "../../../client/client.ts";
import { Icon } from "../../components/icon.tsx";
import { Bytes, count, counted } from "../../components/number.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import { FilePath, visibleName } from "../backups/file_name.tsx";
import { type Plan, planBody } from "./plan.ts";

export type Preview = Schema<"RestorePreview">;
type Obstacle = Preview["obstacles"][number];
type Target = Preview["targets"][number];

/** The agent's findings, or why there are none. */
export type Previewed =
  | { readonly preview: Preview; readonly problem: null }
  | { readonly preview: null; readonly problem: string; readonly errors: Readonly<Record<string, string>> };

/** Asks the server's agent. Nothing is written. */
export async function askPreview(view: View, plan: Plan, identity: string): Promise<Previewed> {
  const answer = await view.ask(path`/api/backups/${plan.backup.id}/restore/preview`, {
    ...planBody(plan),
    ...identity === "" ? {} : { identity },
  });
  if (answer.status === 200) return { preview: answer.body.data, problem: null };
  const [first] = Object.values(answer.errors);
  const problem = first ?? answer.message ?? "The control plane did not answer.";
  return { preview: null, problem, errors: answer.errors };
}

/** Says whether the restore can work, and names everything that is in its way. */
export function Obstacles({ view, preview }: { view: View; preview: Preview }) {
  const { obstacles, obstacles_count: total, is_possible } = preview;
  if (is_possible) {
    return (
      <p class="notice good" role="status">
        <Icon name="good" />
        Nothing is in the way. The agent has checked it; nothing is written yet.
      </p>
    );
  }
  const columns: Column<Obstacle>[] = [
    {
      label: "In the way",
      kind: "main",
      cell: ({ path, problem }) => (
        <span>
          {path === null ? null : <FilePath path={path} />} {visibleName(problem)}
        </span>
      ),
    },
    { label: "What to do", cell: ({ solution }) => visibleName(inWords(solution)) },
  ];
  return (
    <section class="section">
      <p class="notice bad" role="alert">
        <Icon name="bad" />
        {total === 1 ? "One thing is in the way." : `${count(total)} things are in the way.`}{" "}
        Nothing is written.
      </p>
      <Table
        view={view}
        caption="What is in the way of the restore"
        columns={columns}
        rows={obstacles}
        keyOf={(obstacle) => obstacles.indexOf(obstacle)}
      />
      {total > obstacles.length ? <p class="muted">The first {obstacles.length} are shown.</p> : null}
    </section>
  );
}

/** Replaces the names of the API's fields by the words of the pages. */
function inWords(solution: string): string {
  return solution.replace(/\bSet overwrite to replace\b/, "Replace")
    .replace(/\btarget_path\b/, "directory").replace(/\bdatabase_name\b/, "name");
}

const STATES = { missing: "does not exist yet", empty: "is empty", occupied: "exists already" };

/** Shows the exact path or database name of everything that is restored, as the agent has determined it. */
export function Targets({ preview, server }: { preview: Preview; server: string }) {
  const { targets, targets_count, server: databaseServer } = preview;
  return (
    <div id="places" class="places">
      <p class="small muted">
        On {server}
        {databaseServer === null ? null : `, ${databaseServer}`}, it will be exactly here:
      </p>
      <ul class="plain">
        {targets.map((target, index) => (
          <li key={index}>
            <FilePath path={placeOf(target)} />{" "}
            {target.state === null ? null : <span class="muted">{STATES[target.state]}</span>}
          </li>
        ))}
        {targets_count > targets.length
          ? <li class="muted">and {count(targets_count - targets.length)} more</li>
          : null}
      </ul>
    </div>
  );
}

function placeOf({ path, database_name, source }: Target): string {
  return path ?? database_name ?? source;
}

/** How much will be written. */
export function Amount({ preview: { requested } }: { preview: Preview }) {
  const { files_count, directories_count, databases_count, rows_count, bytes } = requested;
  const parts = [
    databases_count === null ? [] : [counted(databases_count, "database")],
    rows_count === null ? [] : [counted(rows_count, "row")],
    files_count === null ? [] : [counted(files_count, "file")],
    directories_count === null || directories_count === 0
      ? []
      : [counted(directories_count, "directory", "directories")],
  ].flat();
  return (
    <div>
      <dt>How much</dt>
      <dd>
        {parts.join(", ")}
        {bytes === null ? null : (
          <>
            {parts.length === 0 ? null : ", "}
            <Bytes value={bytes} />
          </>
        )}
      </dd>
    </div>
  );
}

export function FreeSpace({ preview: { free_bytes } }: { preview: Preview }) {
  if (free_bytes === null) return null;
  return (
    <div>
      <dt>Free space there</dt>
      <dd>
        <Bytes value={free_bytes} />
      </dd>
    </div>
  );
}

export function Warnings({ preview: { warnings } }: { preview: Preview }) {
  if (warnings.length === 0) return null;
  return (
    <ul class="notice warn plain">
      {warnings.map((warning) => <li key={warning}>{visibleName(warning)}</li>)}
    </ul>
  );
}
