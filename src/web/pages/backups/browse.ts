/** The shown part of a backup's contents: a directory, and what is chosen so far. */
import type { Schema } from "../../../client/client.ts";
import { type Form, path } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { Selection, unpack } from "./selection.ts";

export type Backup = Schema<"Backup">;
export type Entry = Schema<"BackupEntry">;

/** Entries of one page of a directory. */
const PER_PAGE = 100;

export interface Browse {
  readonly backup: Backup;
  /** The page that shows the contents: that of the backup, or the step of a restore. */
  readonly place: "backup" | "restore";
  /** The directory, relative to the root; empty for the root. */
  readonly path: string;
  readonly page: number;
  /** Only names that contain this text. */
  readonly name: string;
  readonly selection: Selection;
  /** The secret key of a recipient; null if none was entered. */
  readonly identity: string | null;
}

/** Reads what the address of a page says. */
export function browseOf(view: View, backup: Backup, place: Browse["place"]): Browse {
  return {
    backup,
    place,
    path: view.query("path"),
    page: pageNumber(view.query("page")),
    name: view.query("name").slice(0, 255),
    selection: Selection.read(view.c.req.queries("paths[]") ?? [], view.query("chosen")),
    identity: null,
  };
}

/** Reads the form of a page: which directory is open, and which entries are now checked. */
export function browseOfForm(form: Form, backup: Backup): Browse {
  const shown = unpack(form.text("shown"));
  const checked = form.list("check").flatMap((index) => shown[Number(index)] ?? []);
  const identity = form.text("identity").trim();
  return {
    backup,
    place: form.text("place") === "restore" ? "restore" : "backup",
    path: unpack(form.text("at"))[0] ?? "",
    page: pageNumber(form.text("page")),
    name: form.text("name").slice(0, 255),
    selection: Selection.read([], form.text("chosen")).after(shown, checked),
    identity: identity === "" ? null : identity,
  };
}

/** Returns the address of the page that shows the given directory and selection. */
export function browsePath({ backup, place, ...browse }: Browse): string {
  const query = new URLSearchParams([
    ...place === "restore" ? [["backup_id", String(backup.id)], ["step", "what"]] : [],
    ...browse.path === "" ? [] : [["path", browse.path]],
    ...browse.page === 1 ? [] : [["page", String(browse.page)]],
    ...browse.name === "" ? [] : [["name", browse.name]],
    ...browse.selection.fields(),
  ]).toString();
  const page = place === "restore" ? "/restore" : path`/backups/${backup.id}`;
  return query === "" ? page : `${page}?${query}`;
}

/** One page of a directory, or why it can't be shown. */
export type Listing =
  | { readonly list: ListPage<Entry>; readonly unlisted: number }
  | { readonly problem: string; readonly status: number; readonly identityError?: string };

/** Asks the API for the directory. An agent reads it from the backup's index. */
export async function listFiles(
  view: View,
  { backup, identity, ...browse }: Browse,
): Promise<Listing> {
  const to = path`/api/backups/${backup.id}/files`;
  const query = {
    ...browse.path === "" ? {} : { path: browse.path },
    page: browse.page,
    per_page: PER_PAGE,
    ...browse.name === "" ? {} : { search: browse.name },
  };
  const { status, body, message, errors } = identity === null
    ? await view.call("GET", `${to}?${new URLSearchParams(Object.entries(query).map(textOf))}`)
    : await view.call("POST", to, { body: { ...query, identity }, csrf: view.csrf });
  if (status !== 200) {
    const [first] = Object.values(errors);
    const problem = first ?? message ?? "The control plane did not answer.";
    return { problem, status, ...errors.identity === undefined ? {} : { identityError: errors.identity } };
  }
  const { current_page: page, last_page: pages, total } = body.meta;
  return { list: { rows: body.data, total, page, pages }, unlisted: body.unlisted_count };
}

function textOf([name, value]: [string, string | number]): [string, string] {
  return [name, String(value)];
}

function pageNumber(text: string): number {
  const page = Number(text);
  return Number.isSafeInteger(page) && page > 0 ? page : 1;
}
