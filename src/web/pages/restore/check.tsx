/** The last step of a restore: what is in the way, where everything will be, and the button to start. */
import { Elsewhere, FormFields, TextArea } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { counted } from "../../components/number.tsx";
import { ExactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import { FilePath } from "../backups/file_name.tsx";
import { directoryOf, Places } from "./places.tsx";
import { chosenDatabases, type Plan, planBody, planCommand, planFields, stepPath, takes } from "./plan.ts";
import { Amount, FreeSpace, Obstacles, type Preview, Targets, Warnings } from "./preview.tsx";
import type { Server } from "./servers.ts";
import { RestoreHeading } from "./steps.tsx";

const KEY_HINT =
  "The backup is encrypted to recipients. The line AGE-SECRET-KEY-1… of one of them is used for " +
  "this restore only, and never stored.";

interface CheckProps {
  readonly view: View;
  readonly plan: Plan;
  readonly server: Server | undefined;
  /** The agent's findings; null if the agent could not be asked. */
  readonly preview: Preview | null;
  /** Why there is no preview, or why the restore did not start; null if nothing is wrong. */
  readonly problem: string | null;
  /**
   * The secret key that the person has entered, of one of the backup's recipients. Empty if none was entered.
   */
  readonly identity: string;
  readonly errors: Readonly<Record<string, string>>;
}

export function RestoreCheck({ view, plan, server, preview, problem, identity, errors }: CheckProps) {
  const label = server?.label ?? "the server";
  return (
    <>
      <RestoreHeading view={view} step={4} plan={plan} />
      {problem === null ? null : (
        <p class="notice warn" role="alert">
          <Icon name="warn" />
          {problem}
        </p>
      )}
      {preview === null ? null : <Obstacles view={view} preview={preview} />}
      {preview?.is_possible === false ? <Solutions view={view} plan={plan} /> : null}
      <dl class="facts">
        <div>
          <dt>What</dt>
          <dd>{whatInWords(plan)}</dd>
        </div>
        <div>
          <dt>As it was on</dt>
          <dd>
            <ExactTime view={view} at={plan.backup.created_at} />
          </dd>
        </div>
        <div>
          <dt>On server</dt>
          <dd>{label}</dd>
        </div>
        {preview === null ? null : (
          <>
            <Amount preview={preview} />
            <FreeSpace preview={preview} />
          </>
        )}
      </dl>
      {preview === null
        ? <Places plan={plan} server={label} />
        : <Targets preview={preview} server={label} />}
      {preview === null ? null : <Warnings preview={preview} />}
      {preview?.is_possible === false ? null : (
        <>
          <Existing view={view} plan={plan} isChecked={preview !== null} />
          <StartForm view={view} plan={plan} identity={identity} errors={errors} />
        </>
      )}
      <Elsewhere
        cli={planCommand(plan)}
        api={`POST /api/backups/${plan.backup.id}/restore ${JSON.stringify(planBody(plan))}`}
      />
    </>
  );
}

type StartProps = Pick<CheckProps, "view" | "plan" | "identity" | "errors">;

function StartForm({ view, plan, identity, errors }: StartProps) {
  const needsKey = plan.backup.encryption === "recipients" && identity === "";
  return (
    <form method="post" action={view.path("/restore/start")} class="form-wide" autocomplete="off">
      <FormFields view={view} />
      {planFields(plan).map(([name, value], index) => (
        <input key={index} type="hidden" name={name} value={value} />
      ))}
      {identity === "" ? null : <input type="hidden" name="identity" value={identity} />}
      {needsKey
        ? (
          <TextArea
            name="identity"
            label="Secret key of a recipient"
            mono
            rows={3}
            value=""
            error={errors.identity}
            hint={KEY_HINT}
          />
        )
        : null}
      <div class="buttons">
        {needsKey
          ? (
            <button class="button" type="submit" formaction={view.path("/restore/check")}>
              Check what is in the way
            </button>
          )
          : (
            <button class={plan.flags.overwrite ? "button danger" : "button"} type="submit">
              <Icon name="restore" />
              {plan.flags.overwrite ? "Replace and restore" : "Start the restore"}
            </button>
          )}
        <a class="button quiet" href={view.path(stepPath("where", plan))}>Back</a>
      </div>
    </form>
  );
}

/**
 * Says whether the restore replaces files or databases that exist already. With a link, a person can choose
 * the opposite.
 */
function Existing({ view, plan, isChecked }: Pick<CheckProps, "view" | "plan"> & { isChecked: boolean }) {
  const isFiles = takes(plan, "target_path");
  const existing = existingOf(plan);
  if (plan.flags.overwrite) {
    return (
      <div class="notice warn with-action">
        <Icon name="warn" />
        <div class="section">
          <p>
            <strong>This replaces {existing}.</strong> What they contain now is lost.{" "}
            {isFiles ? "Files that are not in the backup stay." : null}
          </p>
          <a class="button quiet" href={view.path(stepPath("check", plan, { overwrite: "" }))}>
            Keep {existing}
          </a>
        </div>
      </div>
    );
  }
  // Nothing would be replaced. If the check has said so already, nothing is left to say.
  if (isChecked) return null;
  return (
    <div class="notice with-action">
      <Icon name="good" />
      <div class="section">
        <p>
          Nothing is replaced: if one of the {isFiles ? "files is" : "databases is"}{" "}
          there already, the restore stops before it changes anything.
        </p>
        <a class="button quiet" href={view.path(stepPath("check", plan, { overwrite: "1" }))}>
          Replace {existing}
        </a>
      </div>
    </div>
  );
}

/** The choices of a person if something is in the way. */
function Solutions({ view, plan }: Pick<CheckProps, "view" | "plan">) {
  return (
    <div class="buttons">
      <a class="button" href={view.path(stepPath("where", plan))}>Restore elsewhere</a>
      {plan.flags.overwrite
        ? null
        : (
          <a class="button quiet" href={view.path(stepPath("check", plan, { overwrite: "1" }))}>
            Replace {existingOf(plan)}
          </a>
        )}
      <a class="button quiet" href={view.path(stepPath("check", plan))}>Check again</a>
    </div>
  );
}

function existingOf(plan: Plan): string {
  return takes(plan, "target_path") ? "existing files" : "existing databases";
}

function whatInWords(plan: Plan) {
  if (!takes(plan, "paths")) {
    const databases = chosenDatabases(plan);
    return databases.length === 1 && databases[0] !== undefined
      ? <FilePath path={databases[0]} />
      : counted(databases.length, "database");
  }
  const { paths } = plan.selection;
  if (paths.length === 0) return "Everything in the backup";
  if (paths.length === 1 && paths[0] !== undefined) return <FilePath path={paths[0]} />;
  return `${counted(paths.length, "item")} with everything in them`;
}

/** Returns whether the plan says where to restore. */
export function hasPlace(plan: Plan): boolean {
  return !takes(plan, "target_path") || directoryOf(plan) !== null;
}
