/**
 * The fixture for SQLite: two databases that contain every type of schema object. They are restored into
 * another directory. The first database is in WAL mode.
 */
import { basename } from "node:path";
import { shell } from "../fixtures/backup_run.ts";
import type { SourceFixture } from "./fixture.ts";

/** File names with characters that have a meaning in shells, URIs and SQL. */
const NAMES = ["shop.db", "it's $(id) 100% of?#x\n.db"];

/** Runs a script with the program `sqlite3` on a database file, and returns the output. */
export async function sqlite(path: string, script: string): Promise<string> {
  const child = new Deno.Command("sqlite3", {
    args: ["-batch", "-bail", "-init", "/dev/null", path],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`${path}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/**
 * Returns a description of a database: its properties, its definitions, and its rows with their ids. Equal
 * databases have equal descriptions.
 */
export async function describeSqlite(path: string): Promise<string[]> {
  const properties = ["page_size", "page_count", "encoding", "auto_vacuum", "user_version", "application_id"];
  const pragmas = properties.map((name) => `select '${name}', ${name} from pragma_${name};`).join("\n");
  const rowids = "select 'rowids', sum(rowid), min(rowid), max(rowid) from note;";
  const text = await sqlite(
    path,
    `pragma journal_mode;\n${pragmas}\npragma integrity_check;\n${rowids}\n.dump\n`,
  );
  return text.split("\n");
}

export async function sqliteFixture(): Promise<SourceFixture> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-sqlite-" });
  const source = `${root}/-source 'of' 100%`;
  const target = `${root}/target`;
  const requested = `${root}/requested`;
  for (const directory of [source, target, requested]) await Deno.mkdir(directory);
  const paths = NAMES.map((name) => `${source}/${name}`);
  await sqlite(paths[0]!, `pragma page_size = 8192;\npragma auto_vacuum = incremental;\n${SCHEMA}`);
  await sqlite(paths[1]!, `pragma encoding = 'UTF-16le';\n${SCHEMA}`);
  await sqlite(paths[0]!, "pragma journal_mode = wal;");
  const describe = async (directory: string) =>
    (await Promise.all(NAMES.map((name) => describeSqlite(`${directory}/${name}`)))).flat();
  return {
    variants: [
      { name: "by a pattern", spec: { type: "sqlite", names: [`${source}/*.db`] } },
      { name: "by their paths", spec: { type: "sqlite", names: paths } },
    ],
    secrets: [],
    restoration: (line, database) =>
      Promise.resolve({
        line: line.replace("> DATABASE", '> "$DATABASE"'),
        env: { DATABASE: `${target}/${basename(database!)}` },
      }),
    describeOriginal: () => describe(source),
    describeRestored: () => describe(target),
    api: {
      requests: paths.map((path, index) => ({
        databases: [path],
        database_name: `${requested}/${index}.db`,
      })),
      describeRestored: async () =>
        (await Promise.all([0, 1].map((index) => describeSqlite(`${requested}/${index}.db`)))).flat(),
    },
    reset: async () => void await shell('rm -rf "$1" "$2"; mkdir "$1" "$2"', target, requested),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** A schema with every type of object. Rows of `note` have no key except their row id. */
export const SCHEMA = `
create table customer (
  id integer primary key autoincrement, name text not null collate nocase, born, photo blob,
  shout text as (upper(name)) virtual, kept text as (name || id) stored, check (id > 0)
);
with recursive seq (x) as (select 1 union all select x + 1 from seq where x < 5000)
insert into customer (name, born, photo) select 'name ' || x || ' é 😀 ''q''' || char(10), x * 1.5, randomblob(100)
from seq;
create table "order ""odd" (customer references customer (id), at text, primary key (customer, at)) without rowid;
insert into "order ""odd" select id, '2026-01-0' || (id % 9) from customer where id < 500;
create table note (text);
insert into note select name from customer where id < 100;
delete from note where rowid % 3 = 0;
create index by_name on customer (name) where born > 10;
create index by_expression on customer (lower(name));
create view rich as select id, name from customer where born > 100;
create trigger stamp after insert on note begin update note set text = trim(text) where rowid = new.rowid; end;
create virtual table search using fts5 (body, content = note, content_rowid = rowid);
create virtual table words using fts5 (body);
insert into words select name from customer where id < 200;
create virtual table area using rtree (id, x0, x1);
insert into area select id, id, id + 1 from customer where id < 50;
pragma user_version = 4711;
pragma application_id = 1234;
`;
