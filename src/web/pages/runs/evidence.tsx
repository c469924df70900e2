/** Facts about what a verification or drill has compared. */
import { Bytes, Count, count, counted } from "../../components/number.tsx";
import type { Run } from "../../components/run.tsx";
import { Duration } from "../../components/time.tsx";
import type { View } from "../../view.ts";

type Databases = NonNullable<NonNullable<Run["evidence"]>["databases"]>;

/** Shows what a successful verification or drill has compared. Shows nothing for any other run. */
export function Evidence({ view, run }: { view: View; run: Run }) {
  const { evidence, kind } = run;
  if (evidence === null || (kind !== "verify" && kind !== "drill")) return null;
  return (
    <section class="section" aria-labelledby="evidence">
      <header>
        <h2 id="evidence">{kind === "drill" ? "Proven restorable" : "Verified"}</h2>
        <a href={view.path(`/verification/${run.id}`)}>The evidence, to print</a>
      </header>
      {evidence.is_opened ? null : (
        <p class="notice warn">
          Only sizes and checksums were compared: the control plane has no key to open the backup.
        </p>
      )}
      <dl class="facts run-facts">
        {evidence.files_count === null ? null : (
          <div>
            <dt>Files and directories compared</dt>
            <dd>
              <Count value={evidence.files_count} />
            </dd>
          </div>
        )}
        {evidence.objects_count === null ? null : (
          <div>
            <dt>Stored objects compared</dt>
            <dd>{counted(evidence.objects_count, "object")}, size and SHA-256</dd>
          </div>
        )}
        {evidence.databases === null ? null : <DatabasesCompared databases={evidence.databases} />}
        {evidence.restore_ms === null ? null : (
          <div>
            <dt>The restore took</dt>
            <dd>
              <Duration ms={evidence.restore_ms} />
            </dd>
          </div>
        )}
        <div>
          <dt>Read from the destination</dt>
          <dd>
            <Bytes value={evidence.read_bytes} />
          </dd>
        </div>
      </dl>
    </section>
  );
}

/** Maximum number of databases that are named. */
const NAMED = 20;

function DatabasesCompared({ databases }: { databases: Databases }) {
  return (
    <>
      {databases.slice(0, NAMED).map(({ name, tables_count, rows_count }) => (
        <div key={name}>
          <dt class="line" title={name}>{name}</dt>
          <dd>
            {counted(tables_count, "table")},{" "}
            {rows_count === null ? "rows not counted" : counted(rows_count, "row")}
          </dd>
        </div>
      ))}
      {databases.length > NAMED
        ? (
          <div>
            <dt>Other databases</dt>
            <dd>{count(databases.length - NAMED)}</dd>
          </div>
        )
        : null}
    </>
  );
}
