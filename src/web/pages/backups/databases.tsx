/** The list of a backup's databases. A person can choose some of them to restore. Works without scripts. */
import { Icon } from "../../components/icon.tsx";
import { Bytes, Count } from "../../components/number.tsx";
import { Empty } from "../../components/table.tsx";
import type { View } from "../../view.ts";
import type { Check } from "./backup_checks.tsx";
import type { Backup } from "./browse.ts";
import { FilePath, visibleName } from "./file_name.tsx";

/** Returns the databases that have their own archive in a backup, each with the archive's size. */
export function databasesOf({ objects }: Backup): { name: string; size: number }[] {
  return objects.flatMap(({ role, database_name: name, size }) =>
    role === "archive" && name !== null ? { name, size } : []
  );
}

interface DatabasesProps {
  readonly view: View;
  readonly backup: Backup;
  /**
   * Verifications and drills of the backup, the newest first. The last drill that counted tables and rows
   * provides the numbers on the page.
   */
  readonly checks?: readonly Check[];
}

export function Databases({ view, backup, checks = [] }: DatabasesProps) {
  const databases = databasesOf(backup);
  if (databases.length === 0) {
    return (
      <Empty title="Its contents can't be listed.">
        <p class="muted">It is restored as a whole.</p>
      </Empty>
    );
  }
  const proven = checks.find(({ evidence }) => evidence?.databases)?.evidence?.databases ?? null;
  const countsOf = (name: string) => proven?.find((each) => each.name === name);
  const mayRestore = view.may("restore-backups");
  return (
    <form class="browse" action={view.path("/restore")}>
      <input type="hidden" name="backup_id" value={backup.id} />
      <input type="hidden" name="step" value="where" />
      <div class="scroll" tabindex={0} role="region" aria-label="Databases in the backup">
        <table class="table entries">
          <caption class="hidden">Databases in the backup</caption>
          <thead>
            <tr>
              {mayRestore
                ? (
                  <th scope="col" class="tick">
                    <span class="hidden">Select</span>
                    <input type="checkbox" data-check-all aria-label="Select all databases" hidden />
                  </th>
                )
                : null}
              <th scope="col">Database</th>
              {proven === null ? null : (
                <>
                  <th scope="col" class="number">Tables</th>
                  <th scope="col" class="number">Rows</th>
                </>
              )}
              <th scope="col" class="number">Stored size</th>
            </tr>
          </thead>
          <tbody>
            {databases.map(({ name, size }) => (
              <tr key={name}>
                {mayRestore
                  ? (
                    <td class="tick">
                      <input
                        type="checkbox"
                        name="databases[]"
                        value={name}
                        checked={databases.length === 1}
                        aria-label={`Select ${visibleName(name)}`}
                      />
                    </td>
                  )
                  : null}
                <th scope="row" class="main">
                  <span class="entry">
                    <Icon name="database" />
                    <FilePath path={name} />
                  </span>
                </th>
                {proven === null ? null : (
                  <>
                    <td class="number" data-label="Tables">
                      <Count value={countsOf(name)?.tables_count} />
                    </td>
                    <td class="number" data-label="Rows">
                      <Count value={countsOf(name)?.rows_count} />
                    </td>
                  </>
                )}
                <td class="number" data-label="Stored size">
                  <Bytes value={size} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {mayRestore
        ? (
          <div class="selection-bar">
            <div class="selection-text">
              <span>
                <strong class="checked-here"></strong> selected; none selected means all
              </span>
            </div>
            <div class="buttons">
              <button class="button" type="submit">
                <Icon name="restore" />
                Continue
              </button>
            </div>
          </div>
        )
        : null}
    </form>
  );
}
