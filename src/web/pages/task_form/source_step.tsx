/** The wizard's step that chooses what to back up: a directory of the server, or its databases. */
import { BACKUP_TASK_TYPES, DATABASE_TYPES, DEFINITIONS } from "../../../definitions/sources/registry.ts";
import { Select, TextField } from "../../components/form.tsx";
import { capitalized } from "../../components/record_form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Bytes } from "../../components/number.tsx";
import { Empty } from "../../components/table.tsx";
import type { RowOf } from "../../../client/client.ts";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import { CarriedFields } from "./wizard_frame.tsx";
import { wizardPath, type WizardState } from "./wizard_state.ts";

interface StepProps {
  readonly view: View;
  readonly state: WizardState;
}

const SOURCE = ["type", "source_path", "database_type", "database_name"];

/** Links to the kinds of sources. */
export function TypeChoice({ view, state }: StepProps) {
  const kinds = BACKUP_TASK_TYPES.map((type) => {
    const definitions = [...DEFINITIONS.values()].filter(({ taskType }) => taskType === type);
    const isForAdministrators = definitions.every((definition) => definition.isForAdministrators);
    return {
      type,
      isForAdministrators,
      label: capitalized(definitions.map(({ label }) => label).join(", ")),
    };
  }).filter(({ isForAdministrators }) => !isForAdministrators || view.user.isAdmin);
  return (
    <ul class="choices">
      {kinds.map(({ type, label, isForAdministrators }) => (
        <li key={type}>
          <a href={wizardPath(view, state, { type, source_path: "", database_name: "", step: "source" })}>
            <Icon name={isForAdministrators ? "installation" : type === "database" ? "database" : "folder"} />
            <span class="choice-main">{label}</span>
            <Icon name="next" />
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Shows the directories of the server, and a text field. The user clicks a directory or types a path. */
export async function FilesChoice({ view, state, problem }: StepProps & { problem?: string }) {
  const at = view.query("at") || "/";
  const query = new URLSearchParams({ path: at, per_page: "100", page: view.query("page") || "1" });
  const answer = await view.call(
    "GET",
    `${path`/api/remote-servers/${state.remote_server_id ?? ""}/files`}?${query}`,
  );
  return (
    <>
      <form class="filters" action={view.path("/tasks/new")}>
        <CarriedFields state={state} except={SOURCE} />
        <input type="hidden" name="type" value={state.type} />
        <input type="hidden" name="step" value="destination" />
        <TextField
          name="source_path"
          label="Directory or file"
          value={state.source_path ?? at}
          error={problem}
          mono
          required
        />
        <button class="button" type="submit">Use this path</button>
      </form>
      {answer.status === 200
        ? <Directory view={view} state={state} at={at} listing={answer.body} />
        : (
          <p class="notice warn">
            {Object.values(answer.errors)[0] ?? answer.message} You can type the path.{" "}
            {at === "/" ? null : <a href={wizardPath(view, state, { step: "source", at: "/" })}>Go to /</a>}
          </p>
        )}
    </>
  );
}

interface Listing {
  readonly data: readonly RowOf<"/api/remote-servers/{id}/files">[];
  readonly meta: { readonly current_page: number; readonly last_page: number };
  readonly is_truncated?: boolean;
}

function Directory({ view, state, at, listing }: StepProps & { at: string; listing: Listing }) {
  const parts = at.split("/").filter(Boolean);
  const isLast = listing.meta.current_page >= listing.meta.last_page;
  return (
    <section class="section" aria-label={`Contents of ${at}`}>
      <nav class="crumbs" aria-label="Directories above">
        <a href={wizardPath(view, state, { step: "source", at: "/" })}>/</a>
        {parts.map((part, index) => (
          <a
            key={index}
            href={wizardPath(view, state, { step: "source", at: `/${parts.slice(0, index + 1).join("/")}` })}
          >
            {part}
          </a>
        ))}
      </nav>
      {listing.data.length === 0 ? <Empty title="This directory is empty." /> : (
        <ul class="lines">
          {listing.data.map((entry) => <Entry key={entry.path} view={view} state={state} entry={entry} />)}
        </ul>
      )}
      {isLast
        ? null
        : <a class="button quiet" href={view.with({ page: listing.meta.current_page + 1 })}>More</a>}
      {listing.is_truncated ? <p class="muted">Only the first 10,000 entries are shown.</p> : null}
    </section>
  );
}

function Entry({ view, state, entry }: StepProps & { entry: Listing["data"][number] }) {
  const { name, path: place, size, type, is_readable } = entry;
  const isDirectory = type === "directory";
  return (
    <li>
      <span class="line-main">
        <Icon name={isDirectory ? "folder" : "file"} /> {isDirectory && is_readable
          ? <a href={wizardPath(view, state, { step: "source", at: place })}>{name}</a>
          : name}
        {type === "symlink" ? <span class="muted">link</span> : null}
        {is_readable ? null : <span class="muted">(the agent may not read it)</span>}
      </span>
      <span class="buttons">
        {type === "file" ? <Bytes value={size} /> : null}
        {isDirectory || type === "file"
          ? (
            <a
              class="button quiet small"
              href={wizardPath(view, state, { source_path: place, step: "destination" })}
              aria-label={`Back up ${place}`}
            >
              Back up
            </a>
          )
          : null}
      </span>
    </li>
  );
}

/**
 * Returns why the chosen path cannot be backed up. Returns undefined if it can be backed up, or if no agent
 * was able to check the path.
 */
export async function pathProblem(view: View, state: WizardState): Promise<string | undefined> {
  const place = state.source_path?.replace(/(?<=.)\/+$/, "");
  if (place === undefined) return undefined;
  const list = (query: Record<string, string>) =>
    view.call(
      "GET",
      `${path`/api/remote-servers/${state.remote_server_id ?? ""}/files`}?${new URLSearchParams(query)}`,
    );
  const directory = await list({ path: place });
  if (directory.status !== 422) return undefined;
  // The path might lead to a file. A file cannot be listed, but the list of its directory contains it.
  const end = place.lastIndexOf("/");
  const name = place.slice(end + 1);
  const above = await list({ path: place.slice(0, end) || "/", search: name, per_page: "100" });
  const entries: readonly { readonly name: string }[] = above.status === 200 ? above.body.data : [];
  return entries.some((entry) => entry.name === name) ? undefined : directory.errors.path;
}

/**
 * Lists the databases of the server, so that a person can choose one or all. Also has a field for typing
 * names.
 */
export async function DatabaseChoice({ view, state }: StepProps) {
  const kind = state.database_type ?? "";
  const listed = kind === "" ? null : await view.call(
    "GET",
    `${path`/api/remote-servers/${state.remote_server_id ?? ""}/databases`}?${new URLSearchParams({
      database_type: kind,
    })}`,
  );
  return (
    <>
      <form class="filters" action={view.path("/tasks/new")}>
        <CarriedFields state={state} except={SOURCE} />
        <input type="hidden" name="type" value={state.type} />
        <input type="hidden" name="step" value="source" />
        <Select
          name="database_type"
          label="Kind of database"
          value={kind}
          choices={DATABASE_TYPES.map((value) => ({ value, label: DEFINITIONS.get(value)!.label }))}
        />
        <button class="button quiet" type="submit">List the databases</button>
      </form>
      {listed === null
        ? null
        : listed.status === 200
        ? <Databases view={view} state={state} names={listed.body.data.databases} />
        : (
          <p class="notice warn">
            {Object.values(listed.errors)[0] ?? listed.message} You can type the names.
          </p>
        )}
      <form class="filters" action={view.path("/tasks/new")}>
        <CarriedFields state={state} except={["source_path", "database_name"]} />
        <input type="hidden" name="step" value="destination" />
        <TextField
          name="database_name"
          label="Databases, separated by commas, or * for all"
          value={state.database_name}
          required
          mono
        />
        <button class="button" type="submit">Use these names</button>
      </form>
    </>
  );
}

interface Database {
  readonly name: string;
  readonly size: number | null;
  readonly problem: string | null;
}

function Databases({ view, state, names }: StepProps & { names: readonly Database[] }) {
  if (names.length === 0) return <Empty title="The server has no database of this kind." />;
  const choose = (database_name: string) => wizardPath(view, state, { database_name, step: "destination" });
  return (
    <ul class="lines">
      <li>
        <span class="line-main">All of them, also those that are made later</span>
        <a class="button quiet small" href={choose("*")}>Back up all</a>
      </li>
      {names.map(({ name, size, problem }) => (
        <li key={name}>
          <span class="line-main">
            <Icon name="database" /> {name} {problem === null ? null : <span class="muted">{problem}</span>}
          </span>
          <span class="buttons">
            <Bytes value={size} />
            <a class="button quiet small" href={choose(quoted(name))} aria-label={`Back up ${name}`}>
              Back up
            </a>
          </span>
        </li>
      ))}
    </ul>
  );
}

/**
 * Quotes a database's name if necessary. The field `database_name` takes several names, separated by commas.
 */
function quoted(name: string): string {
  return name.includes(",") || name === "*" ? `"${name}"` : name;
}
