/** Shows exactly where each restored item will be. */
import type { Child } from "hono/jsx";
import { count } from "../../components/number.tsx";
import { FilePath } from "../backups/file_name.tsx";
import { chosenDatabases, type Plan, takes } from "./plan.ts";

/** Maximum number of items that are listed. Of further items, only the number is shown. */
const NAMED = 12;

/**
 * Names the place of every restored item. The browser fetches this list again while a person types into the
 * form.
 */
export function Places({ plan, server }: { plan: Plan; server: string }) {
  const items = takes(plan, "paths") ? filePlaces(plan) : databasePlaces(plan);
  return (
    <div id="places" class="places">
      <p class="small muted">On {server}, it will be exactly here:</p>
      {items === null ? <p>Enter a directory.</p> : (
        <ul class="plain">
          {items.slice(0, NAMED).map((item, index) => <li key={index}>{item}</li>)}
          {items.length <= NAMED
            ? null
            : <li class="muted">and {count(items.length - NAMED)} more in the same place</li>}
        </ul>
      )}
    </div>
  );
}

/** Returns the directory that files are restored into; null if none is entered. */
export function directoryOf({ backup, isElsewhere, texts }: Plan): string | null {
  const path = isElsewhere ? texts.target_path : backup.original_directory ?? "";
  return path === "" ? null : path;
}

function filePlaces(plan: Plan): Child[] | null {
  const directory = directoryOf(plan);
  if (directory === null) return null;
  const base = directory.endsWith("/") ? directory : `${directory}/`;
  if (plan.selection.isEmpty) {
    return [
      <span key={base}>
        <FilePath path={base} /> with everything in the backup
      </span>,
    ];
  }
  return plan.selection.paths.map((path) => <FilePath key={path} path={`${base}${path}`} />);
}

function databasePlaces(plan: Plan): Child[] {
  const databases = chosenDatabases(plan);
  const { database_name, database_host } = plan.texts;
  const at = !takes(plan, "database_host")
    ? null
    : database_host === ""
    ? " on the database server of its task"
    : ` on the database server ${database_host}`;
  return databases.map((name) => (
    <span key={name}>
      <FilePath path={databases.length === 1 && database_name !== "" ? database_name : name} />
      {at}
    </span>
  ));
}
