/** The report of a restore: the requested and the written numbers, and the exact paths. */
import type { Schema } from "../../../client/client.ts";
import { Icon } from "../../components/icon.tsx";
import { Bytes, Count, count, counted } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import type { View } from "../../view.ts";
import { FilePath } from "../backups/file_name.tsx";

type Run = Schema<"BackupTaskLog">;
type Restored = NonNullable<Run["restored"]>;
type Amounts = Restored["requested"];

/** Names of the amounts, in the order in which the report shows them. */
const AMOUNTS = {
  databases_count: "Databases",
  rows_count: "Rows",
  files_count: "Files",
  directories_count: "Directories",
  bytes: "Size",
} as const satisfies Partial<Record<keyof Amounts, string>>;

/** Shows what a restore has written. Shows nothing if the run is not a restore, or if it has not ended. */
export function RestoreReport({ view, run }: { view: View; run: Run }) {
  if (run.kind !== "restore" || run.outcome === null) return null;
  return (
    <section class="section" id="restore-report">
      <header>
        <h2>What was restored</h2>
        {run.backup_id === null
          ? null
          : <a href={view.path(`/backups/${run.backup_id}`)}>The backup that it came from</a>}
      </header>
      {run.outcome === "failed" ? <Failed /> : run.restored === null
        ? (
          <p class="muted">
            The agent is too old to count what it wrote. Its log below says what was restored, and where.
          </p>
        )
        : <Written restored={run.restored} server={run.remote_server?.label ?? "the server"} />}
    </section>
  );
}

/** A restore that fails leaves everything as it was. */
function Failed() {
  return (
    <p>
      <strong>Nothing.</strong>{" "}
      A restore that fails leaves the place as it was. If its agent was killed, it undoes what it began at its
      next start.
    </p>
  );
}

function Written({ restored, server }: { restored: Restored; server: string }) {
  const { requested, written, skipped_count, targets, targets_count } = restored;
  const names = (Object.keys(AMOUNTS) as (keyof typeof AMOUNTS)[])
    .filter((name) => requested[name] !== null || written[name] !== null);
  return (
    <>
      <div class="scroll" tabindex={0} role="region" aria-label="Asked for and written">
        <table class="table compared">
          <caption class="hidden">What was asked for, and what was written</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">What</span>
              </th>
              <th scope="col" class="number">Asked for</th>
              <th scope="col" class="number">Written</th>
              <th scope="col">Result</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name}>
                <th scope="row" class="main">{AMOUNTS[name]}</th>
                <td class="number" data-label="Asked for">
                  <Amount name={name} value={requested[name]} />
                </td>
                <td class="number" data-label="Written">
                  <Amount name={name} value={written[name]} />
                </td>
                <td data-label="Result">
                  <Compared asked={requested[name]} got={written[name]} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {skipped_count === 0 ? null : (
        <p class="notice warn">
          <Icon name="warn" />
          {counted(skipped_count, "file or directory", "files and directories")}{" "}
          could not be written. The log names each with the reason.
        </p>
      )}
      <div class="places">
        <p class="small muted">On {server}, exactly here:</p>
        <ul class="plain">
          {targets.map((target) => (
            <li key={target}>
              <FilePath path={target} />
            </li>
          ))}
          {targets_count > targets.length
            ? <li class="muted">and {count(targets_count - targets.length)} more</li>
            : null}
        </ul>
      </div>
    </>
  );
}

function Amount({ name, value }: { name: keyof typeof AMOUNTS; value: number | null }) {
  return name === "bytes" ? <Bytes value={value} none="unknown" /> : <Count value={value} none="unknown" />;
}

/** Compares only what both sides know. */
function Compared({ asked, got }: { asked: number | null; got: number | null }) {
  if (asked === null || got === null) return null;
  if (got >= asked) return <Mark icon="good" tone="good" text="All of it" />;
  return got === 0
    ? <Mark icon="bad" tone="bad" text="Nothing" />
    : <Mark icon="warn" tone="warn" text="Not all of it" />;
}
