/** The step in which a person chooses the server, and the directory or database to restore into. */
import { Checkbox, Radio, Select, TextField } from "../../components/form.tsx";
import type { View } from "../../view.ts";
import { FilePath } from "../backups/file_name.tsx";
import { chosenDatabases, type Plan, planFields, takes } from "./plan.ts";
import { Places } from "./places.tsx";
import { ServerSelect } from "./server_select.tsx";
import type { Server } from "./servers.ts";
import { RestoreHeading } from "./steps.tsx";

const NAME_HINT =
  "Leave it empty to keep the name. An existing database with data stays as it is, unless you " +
  "choose to replace it in the next step.";

interface WhereProps {
  readonly view: View;
  readonly plan: Plan;
  readonly servers: readonly Server[];
  readonly errors?: Readonly<Record<string, string>>;
}

/** Fields that a person fills in at this step. The form has the plan's other fields as hidden inputs. */
const OWN = [
  "remote_server_id",
  "place",
  "target_path",
  "database_name",
  "database_host",
  "database_port",
  "database_username",
  "definers",
  "continue_on_errors",
  "without_owners",
];

export function RestoreWhere({ view, plan, servers, errors = {} }: WhereProps) {
  const live = view.hx({
    get: view.path("/restore"),
    trigger: "change, input delay:200ms",
    target: "#places",
    select: "#places",
    swap: "outerHTML",
  });
  const server = servers.find(({ id }) => id === plan.serverId);
  return (
    <>
      <RestoreHeading view={view} step={3} plan={plan} />
      <form action={view.path("/restore")} class="form-wide" {...live}>
        {planFields(plan, OWN).map(([name, value], index) => (
          <input key={index} type="hidden" name={name} value={value} />
        ))}
        <ServerSelect view={view} plan={plan} servers={servers} error={errors.remote_server_id} />
        {takes(plan, "target_path")
          ? <DirectoryFields plan={plan} errors={errors} />
          : <DatabaseFields plan={plan} errors={errors} />}
        <Places plan={plan} server={server?.label ?? "the server"} />
        {/* htmx sends no button, and so gets this step again. */}
        <div class="buttons">
          <button class="button" type="submit" name="step" value="check">Continue</button>
        </div>
      </form>
    </>
  );
}

interface FieldsProps {
  readonly plan: Plan;
  readonly errors: Readonly<Record<string, string>>;
}

function DirectoryFields({ plan, errors }: FieldsProps) {
  const { backup, isElsewhere, texts } = plan;
  return (
    <fieldset>
      <legend>Into which directory</legend>
      {backup.original_directory === null ? null : (
        <Radio
          name="place"
          value="original"
          checked={!isElsewhere}
          label={
            <>
              Back to where it came from: <FilePath path={backup.original_directory} />
            </>
          }
          hint="Existing files stay as they are, unless you choose to replace them in the next step."
        />
      )}
      <Radio name="place" value="elsewhere" checked={isElsewhere} label="Into another directory" />
      <div class="when-elsewhere">
        <TextField
          name="target_path"
          label="That directory"
          value={texts.target_path}
          placeholder="/srv/restored"
          mono
          error={errors.target_path}
          hint="An absolute path on the server. It is made if it does not exist."
        />
      </div>
    </fieldset>
  );
}

function DatabaseFields({ plan, errors }: FieldsProps) {
  const { texts, flags } = plan;
  const databases = chosenDatabases(plan);
  const [only] = databases;
  return (
    <>
      {databases.length === 1
        ? (
          <TextField
            name="database_name"
            label="Under which name"
            value={texts.database_name}
            placeholder={only}
            error={errors.database_name}
            hint={NAME_HINT}
          />
        )
        : (
          <p class="muted">
            {databases.length} databases keep their names. To rename one, choose it alone in the step before.
          </p>
        )}
      {takes(plan, "database_host")
        ? (
          <details open={texts.database_host !== "" || errors.database_host !== undefined}>
            <summary>On another database server than the task's</summary>
            <fieldset>
              <TextField
                name="database_host"
                label="Host, or directory of its socket"
                value={texts.database_host}
                error={errors.database_host}
              />
              <TextField
                name="database_port"
                label="Port"
                type="number"
                value={texts.database_port}
                error={errors.database_port}
              />
              <TextField
                name="database_username"
                label="User"
                value={texts.database_username}
                error={errors.database_username}
                hint="The password is the one stored with the server on which you restore."
              />
            </fieldset>
          </details>
        )
        : null}
      {takes(plan, "continue_on_errors")
        ? (
          <details>
            <summary>More options</summary>
            <fieldset>
              {takes(plan, "owners")
                ? (
                  <Checkbox
                    name="without_owners"
                    checked={flags.without_owners}
                    label="Leave out owners and grants"
                    hint="Everything then belongs to the user that loads it."
                  />
                )
                : null}
              {takes(plan, "definers")
                ? (
                  <Select
                    name="definers"
                    label="Definers of views, routines, triggers and events"
                    value={texts.definers}
                    choices={[{ value: "", label: "Those of the backup" }, {
                      value: "login",
                      label: "The user that loads them",
                    }]}
                  />
                )
                : null}
              <Checkbox
                name="continue_on_errors"
                checked={flags.continue_on_errors}
                label="Go on after statements that fail"
                hint="The run lists them."
              />
            </fieldset>
          </details>
        )
        : null}
    </>
  );
}
