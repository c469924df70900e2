/**
 * The page `/backups/find`. It finds files in all backups by their name. Each version of a file has a button
 * that restores the version.
 */
import type { Answer } from "../../../client/client.ts";
import { type Choice, Elsewhere, Select, TextArea, TextField } from "../../components/form.tsx";
import { counted } from "../../components/number.tsx";
import { Empty } from "../../components/table.tsx";
import { ExactTime } from "../../components/time.tsx";
import { shellQuote } from "../../../domain/shell_quote.ts";
import { addAction, addPage, type PageContent } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { FoundFiles } from "./file_versions.tsx";

type Found = Answer<"/api/backups/files">;

interface Search {
  readonly name: string;
  /** Empty for the backups of all tasks. */
  readonly taskId: string;
  readonly identity: string;
}

export function addFindPage(site: Site): void {
  addPage(
    site,
    "/backups/find",
    (view) => findPage(view, { name: view.query("name"), taskId: view.query("task_id"), identity: "" }),
  );
  // A search with a secret key (`identity`) must be a posted form. Otherwise the key would be in the address.
  addAction(site, "/backups/find", (view, form) =>
    findPage(view, {
      name: form.text("name"),
      taskId: form.text("task_id"),
      identity: form.text("identity").trim(),
    }));
}

async function findPage(view: View, typed: Search): Promise<PageContent> {
  const search = {
    ...typed,
    name: typed.name.trim(),
    taskId: /^\d+$/.test(typed.taskId) ? typed.taskId : "",
  };
  const [answer, tasks] = await Promise.all([
    search.name === "" ? null : ask(view, search),
    readTasks(view, search.taskId),
  ]);
  const errors = answer?.errors ?? {};
  const found: Found | null = answer?.status === 200 ? answer.body : null;
  const problem = answer === null || found !== null
    ? undefined
    : errors.search ?? answer.message ?? "No answer.";
  return {
    title: "Find a file",
    status: answer?.status,
    content: (
      <>
        <PageHeading
          view={view}
          title="Find a file"
          lead="In all backups, at all times. Each version of a file has the button that restores it."
          trail={[{ label: "Backups", path: "/backups" }]}
        />
        <form class="filters" action={view.path("/backups/find")} role="search">
          <TextField
            name="name"
            label="Name of the file, or part of it"
            type="search"
            value={search.name}
            error={errors.identity === undefined ? problem : undefined}
          />
          <Select
            name="task_id"
            label="In the backups of"
            value={search.taskId}
            choices={[{ value: "", label: "All tasks" }, ...tasks]}
          />
          <button class="button" type="submit">Find</button>
        </form>
        <p class="muted small">
          <code>*.conf</code> matches whole names; <code>etc/**/*.conf</code> matches paths.
        </p>
        {found === null ? null : <Results view={view} search={search} found={found} />}
        {errors.identity === undefined
          ? null
          : <IdentityForm view={view} search={search} error={errors.identity} />}
      </>
    ),
  };
}

function ask(view: View, { name, taskId, identity }: Search) {
  const path = taskId === "" ? "/api/backups/files" : `/api/backup-tasks/${taskId}/files`;
  return identity === ""
    ? view.call("GET", `${path}?${new URLSearchParams({ search: name })}`)
    : view.call("POST", path, { body: { search: name, identity }, csrf: view.csrf });
}

/** Returns the tasks among which a person chooses: the chosen task, then the first tasks by label. */
async function readTasks(view: View, chosenId: string): Promise<Choice[]> {
  const [list, chosen] = await Promise.all([
    view.list("/api/backup-tasks", { query: { sort: "label", per_page: 100 } }),
    chosenId === "" ? null : view.find("/api/backup-tasks/{id}", { id: chosenId }),
  ]);
  const others = list.rows.filter(({ id }) => id !== chosen?.id);
  return [...chosen === null ? [] : [chosen], ...others].map(({ id, label }) => ({ value: id, label }));
}

interface ResultsProps {
  readonly view: View;
  readonly search: Search;
  readonly found: Found;
}

function Results({ view, search, found }: ResultsProps) {
  const { data, truncated, searched_count, not_searched, older_count } = found;
  return (
    <>
      {data.length === 0
        ? (
          <Empty title="No backup has a file of this name.">
            <p class="muted">
              {counted(searched_count, "backup")}{" "}
              searched. Try a part of the name; upper and lower case do not matter.
            </p>
          </Empty>
        )
        : (
          <p class="muted">
            {counted(data.length, "file")} in {counted(searched_count, "backup")}.
            {truncated ? " More files match: type more of the name." : ""}
          </p>
        )}
      {data.length === 0 ? null : <FoundFiles view={view} files={data} />}
      {older_count === 0 ? null : (
        <p class="notice warn">
          {counted(older_count, "older backup")}{" "}
          were not searched. Choose a task above to search its older ones too.
        </p>
      )}
      {not_searched.length === 0 ? null : (
        <details>
          <summary>{counted(not_searched.length, "backup")} could not be searched</summary>
          <ul class="plain">
            {not_searched.map(({ backup_id, created_at, reason }) => (
              <li key={backup_id}>
                <a href={view.path(`/backups/${backup_id}`)}>
                  <ExactTime view={view} at={created_at} />
                </a>: {reason}
              </li>
            ))}
          </ul>
          <IdentityForm view={view} search={search} />
        </details>
      )}
      <Elsewhere
        cli={`rearguard ${search.taskId === "" ? "backups find" : `tasks find ${search.taskId}`} ${
          shellQuote(search.name)
        }`}
        api={`GET ${
          search.taskId === "" ? "/api/backups/files" : `/api/backup-tasks/${search.taskId}/files`
        }?${new URLSearchParams({ search: search.name })}`}
      />
    </>
  );
}

function IdentityForm({ view, search, error }: { view: View; search: Search; error?: string }) {
  return (
    <form method="post" action={view.path("/backups/find")} class="form-wide" autocomplete="off">
      <input type="hidden" name="name" value={search.name} />
      <input type="hidden" name="task_id" value={search.taskId} />
      <TextArea
        name="identity"
        label="Search backups that are encrypted to recipients too"
        mono
        rows={2}
        value=""
        error={error}
        hint="The line AGE-SECRET-KEY-1… of a recipient. It is used for this search only, and never stored."
      />
      <div class="buttons">
        <button class="button quiet" type="submit">Search with this key</button>
      </div>
    </form>
  );
}
