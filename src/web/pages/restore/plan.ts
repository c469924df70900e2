/** The choices that a person has made for a restore. Addresses and forms carry them from step to step. */
import { shellQuote } from "../../../domain/shell_quote.ts";
import type { View } from "../../view.ts";
import type { Backup } from "../backups/browse.ts";
import { databasesOf } from "../backups/databases.tsx";
import { Selection } from "../backups/selection.ts";

/**
 * Fields of an address or a form. `list` takes the name of a field without its brackets: `paths` for
 * `paths[]`.
 */
export interface Fields {
  text(name: string): string;
  list(name: string): string[];
}

/** Choices that are sent to the API as they are typed. */
const TEXTS = [
  "target_path",
  "database_name",
  "database_host",
  "database_port",
  "database_username",
  "definers",
] as const;
/** Choices that are on or off. */
const FLAGS = ["overwrite", "continue_on_errors", "without_owners"] as const;

export interface Plan {
  readonly backup: Backup;
  /** Empty for everything. */
  readonly selection: Selection;
  /** Empty for all of the backup. */
  readonly databases: readonly string[];
  readonly serverId: number | null;
  /** Whether files go to another directory than the original one. */
  readonly isElsewhere: boolean;
  readonly texts: Readonly<Record<typeof TEXTS[number], string>>;
  readonly flags: Readonly<Record<typeof FLAGS[number], boolean>>;
}

export function fieldsOf(view: View): Fields {
  return { text: (name) => view.query(name), list: (name) => view.c.req.queries(`${name}[]`) ?? [] };
}

export function planOf(backup: Backup, fields: Fields): Plan {
  const server = Number(fields.text("remote_server_id"));
  const held = new Set(databasesOf(backup).map(({ name }) => name));
  const place = fields.text("place");
  return {
    backup,
    selection: Selection.read(fields.list("paths"), fields.text("chosen")),
    databases: fields.list("databases").filter((name) => held.has(name)),
    serverId: server > 0 ? server : backup.remote_server_id,
    isElsewhere: place === "elsewhere" || (place === "" && backup.original_directory === null),
    texts: record(TEXTS, (name) => fields.text(name).trim()),
    flags: record(FLAGS, (name) => fields.text(name) !== ""),
  };
}

/** Returns whether a restore of this backup takes the field. */
export function takes({ backup }: Pick<Plan, "backup">, field: string): boolean {
  return backup.restore_fields.includes(field);
}

/** Returns the names of the databases that are restored. */
export function chosenDatabases({ backup, databases }: Plan): readonly string[] {
  return databases.length > 0 ? databases : databasesOf(backup).map(({ name }) => name);
}

/** Returns the fields of the plan, without those whose names are given. */
export function planFields(plan: Plan, without: readonly string[] = []): [string, string][] {
  const { backup, selection, databases, serverId, isElsewhere, texts, flags } = plan;
  const all: [string, string][] = [
    ["backup_id", String(backup.id)],
    ...selection.fields(),
    ...databases.map((name): [string, string] => ["databases[]", name]),
    ...serverId === null ? [] : [["remote_server_id", String(serverId)] as [string, string]],
    ...takes(plan, "target_path") && isElsewhere ? [["place", "elsewhere"] as [string, string]] : [],
    ...TEXTS.flatMap((name): [string, string][] => texts[name] === "" ? [] : [[name, texts[name]]]),
    ...FLAGS.flatMap((name): [string, string][] => flags[name] ? [[name, "1"]] : []),
  ];
  return all.filter(([name]) => !without.includes(name));
}

/** Returns the address of a step, with changes to some fields. */
export function stepPath(step: string, plan: Plan, changes: Readonly<Record<string, string>> = {}): string {
  const kept = planFields(plan, Object.keys(changes));
  return `/restore?${new URLSearchParams([...kept, ...Object.entries(changes), ["step", step]])}`;
}

/** Returns the body of the API's request. Leaves out what is empty. */
export function planBody(plan: Plan): Record<string, unknown> {
  const { backup, selection, databases, serverId, isElsewhere, texts, flags } = plan;
  const body: Record<string, unknown> = {
    remote_server_id: serverId === backup.remote_server_id ? null : serverId,
    target_path: isElsewhere ? texts.target_path || null : null,
    paths: selection.isEmpty ? null : selection.paths,
    databases: databases.length === 0 ? null : databases,
    database_name: texts.database_name || null,
    database_host: texts.database_host || null,
    database_port: texts.database_port === "" ? null : Number(texts.database_port),
    database_username: texts.database_username || null,
    definers: texts.definers || null,
    owners: flags.without_owners ? false : null,
    continue_on_errors: flags.continue_on_errors || null,
    overwrite: flags.overwrite || null,
  };
  const always = ["remote_server_id", "overwrite"];
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) =>
      value !== null && (always.includes(name) || takes(plan, name))
    ),
  );
}

/** Returns the command that does the same. */
export function planCommand(plan: Plan): string {
  const { paths = [], databases = [], owners, remote_server_id, overwrite, continue_on_errors, ...texts } =
    planBody(plan);
  const options = [
    ...remote_server_id === undefined ? [] : [`--server ${remote_server_id}`],
    ...(paths as string[]).map((path) => `--path ${shellQuote(path)}`),
    ...(databases as string[]).map((name) => `--databases ${shellQuote(name)}`),
    ...Object.entries(texts).map(([name, value]) =>
      `--${name.replaceAll("_", "-")} ${shellQuote(String(value))}`
    ),
    ...owners === false ? ["--no-owners"] : [],
    ...continue_on_errors === true ? ["--continue-on-errors"] : [],
    ...overwrite === true ? ["--overwrite"] : [],
    ...plan.backup.encryption === "recipients" ? ["--identity-from prompt"] : [],
  ];
  return [`rearguard backups restore ${plan.backup.id}`, ...options].join(" ");
}

function record<N extends string, V>(names: readonly N[], value: (name: N) => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, V>;
}
