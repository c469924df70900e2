/** The page `/search`, which is also the content of the search dialog: pages, tasks, servers and backups. */
import { Icon, type IconName } from "../components/icon.tsx";
import { TextField } from "../components/form.tsx";
import { Empty } from "../components/table.tsx";
import { NAVIGATION } from "../navigation.ts";
import { addPage } from "../page.tsx";
import { PageHeading } from "../shell.tsx";
import type { Site } from "../site.ts";
import type { View } from "../view.ts";

interface Result {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
  /** Kind of the record. */
  readonly kind: string;
}

/** Maximum number of records of one kind. */
const EACH = 6;

/** The lists of the API in which a search looks. */
const LISTS = [
  { path: "/api/backup-tasks", page: "/tasks", icon: "tasks", kind: "Task" },
  { path: "/api/remote-servers", page: "/servers", icon: "servers", kind: "Server" },
  { path: "/api/backup-destinations", page: "/destinations", icon: "destinations", kind: "Destination" },
] as const;

async function search(view: View, text: string): Promise<Result[]> {
  const pages = NAVIGATION.flat()
    .filter(({ label, needs }) =>
      (needs === undefined || view.may(needs)) && label.toLowerCase().includes(text.toLowerCase())
    )
    .map((entry) => ({ ...entry, kind: "Page" }));
  if (text === "") return pages;
  const found = await Promise.all(LISTS.map(async ({ path, page, icon, kind }) => {
    const { rows } = await view.list(path, { query: { search: text, per_page: EACH } });
    return rows.map(({ id, label }) => ({ path: `${page}/${id}`, label, icon, kind }));
  }));
  const files = {
    path: `/backups/find?${new URLSearchParams({ name: text })}`,
    label: `Find a file named “${text}” in all backups`,
    icon: "file" as const,
    kind: "Files",
  };
  return [...pages, ...found.flat(), files];
}

export function addSearchPage(site: Site): void {
  addPage(site, "/search", async (view) => {
    const text = view.query("q").trim().slice(0, 200);
    const results = await search(view, text);
    return {
      title: "Search",
      content: (
        <>
          <PageHeading view={view} title="Search" />
          <form class="filters" action={view.path("/search")}>
            <TextField
              name="q"
              label="Search for pages, tasks, servers and files"
              type="search"
              value={text}
            />
            <button class="button" type="submit">Search</button>
          </form>
          <div id="results">
            <Results view={view} results={results} />
          </div>
        </>
      ),
    };
  });
}

function Results({ view, results }: { view: View; results: readonly Result[] }) {
  if (results.length === 0) return <Empty title="Nothing has that name." />;
  return (
    <ul class="results">
      {results.map(({ path, label, icon, kind }) => (
        <li key={path}>
          <a href={view.path(path)}>
            <Icon name={icon} />
            <span class="clamp">{label}</span>
            <span class="muted small">{kind}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
