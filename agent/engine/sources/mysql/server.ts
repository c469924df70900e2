/** Describes a MySQL or MariaDB server and its databases, as far as a backup needs it. */
import { RunFailedError } from "../../ports.ts";
import { oneLine } from "../../programs/line.ts";
import { firstTool, missingTools } from "../../programs/tools.ts";
import type { ProgramContext } from "../../run_context.ts";
import { isOwnName } from "../database/scratch_names.ts";
import type { DatabaseList, DatabaseLogin } from "../source_type.ts";
import { exact, MARK } from "./sql.ts";
import { fromHex, MysqlConnection } from "./connection.ts";
import { hasDatabaseComments, PACKAGES, type ServerVersion } from "./programs.ts";

export interface MysqlServer extends ServerVersion {
  databases: MysqlDatabase[];
  /** Maximum length of a statement that the server accepts, in bytes. */
  maxStatement: number;
  /** Whether the server takes `Shop` and `shop` for the same name. */
  ignoresCase: boolean;
}

export interface MysqlDatabase {
  name: string;
  size: number;
  /** Number of tables whose storage engine has no transactions. Their rows might change during the dump. */
  nonTransactional: number;
  characterSet: string;
  collation: string;
  /**
   * Comment of the database. Empty if it has none, or if the server does not support comments of databases.
   */
  comment: string;
  /**
   * Views and tables that the server cannot open, with the server's reason. A dump that included them would
   * fail at the first of them.
   */
  unreadable: { name: string; reason: string }[];
  /** Names of system-versioned tables (MariaDB). An ordinary dump does not contain their history. */
  versioned: string[];
  /**
   * Names of the versioned tables that keep their history by transaction. mariadb-dump cannot dump such a
   * history.
   */
  byTransaction: string[];
  /** Whether Rearguard created the database, for a restore or a drill. */
  isOwn: boolean;
  /**
   * True for a directory that is no database, such as `lost+found` in the server's data directory. Servers
   * list such directories as databases.
   */
  isDirectory: boolean;
}

/**
 * Schemas that `*` does not select, because every server creates them itself. There is a second reason for
 * the schema `mysql`: its contents do not fit servers of other versions.
 */
export const SYSTEM_SCHEMAS = ["information_schema", "performance_schema", "sys", "mysql"];

/** Whether `*` selects the database. */
export function isSelectable({ name, isOwn, isDirectory }: MysqlDatabase): boolean {
  return !SYSTEM_SCHEMAS.includes(name.toLowerCase()) && !isOwn && !isDirectory;
}

/**
 * Prefix of some names in a server's list of databases. The server lists every directory as a database. If a
 * directory's name is not an encoded database name, the server adds this prefix.
 */
const UNENCODED = "#mysql50#";

export async function describeServer(connection: MysqlConnection, client: string): Promise<MysqlServer> {
  const query = (sql: string) => connection.query(client, sql);
  const [settings] = await query(
    "select hex(version()), @@global.max_allowed_packet, @@lower_case_table_names",
  );
  const version = fromHex(settings![0]!);
  const isMariadb = /mariadb/i.test(version);
  const comment = hasDatabaseComments({ version, isMariadb }) ? "s.schema_comment" : "''";
  const columns = ["schema_name", "default_character_set_name", "default_collation_name"].map((name) =>
    `s.${name}`
  );
  const rows = await query(
    `select ${columns.map((name) => `hex(${name})`).join(", ")}, hex(${comment}),
            coalesce(sum(t.data_length + t.index_length), 0),
            coalesce(sum(t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED')
                         and t.engine not in ('InnoDB', 'ROCKSDB', 'TokuDB')), 0),
            count(t.table_name)
     from information_schema.schemata s
     left join information_schema.tables t
       on t.table_schema = s.schema_name and ${exact("t.table_schema")} = ${exact("s.schema_name")}
     group by ${exact("s.schema_name")}, ${columns.join(", ")}, ${comment === "''" ? "1" : comment}
     order by s.schema_name, ${exact("s.schema_name")}`,
  );
  const special = await specialTables(query, isMariadb);
  const databases = rows.map(([schema, characterSet, collation, note, size, nonTransactional, tables]) => {
    const name = fromHex(schema!);
    const here = special.filter((table) => table.database === name);
    const named = (kind: SpecialTable["kind"]) => here.filter((table) => table.kind === kind);
    return {
      name,
      size: Number(size),
      nonTransactional: Number(nonTransactional),
      characterSet: fromHex(characterSet!),
      collation: fromHex(collation!),
      comment: fromHex(note!),
      unreadable: named("unreadable").map((table) => ({ name: table.name, reason: oneLine(table.comment) })),
      versioned: named("versioned").map((table) => table.name),
      byTransaction: named("by transaction").map((table) => table.name),
      isDirectory: name.startsWith(UNENCODED) && tables === "0",
      isOwn: isOwnName(name) && named("mark").length > 0,
    };
  });
  return {
    version,
    isMariadb,
    maxStatement: Number(settings![1]),
    ignoresCase: settings![2] !== "0",
    databases,
  };
}

/** Lists the databases that `*` selects. */
export async function listMysql(login: DatabaseLogin, context: ProgramContext): Promise<DatabaseList> {
  const connection = await MysqlConnection.open(login, context);
  const client = await firstTool(context.children, ["mariadb", "mysql"]);
  if (client === null) throw new RunFailedError(missingTools(["mysqldump", "mysql"], PACKAGES));
  const server = await describeServer(connection, client.tool);
  return {
    server: `${productName(server)} at ${connection.description}`,
    databases: server.databases.filter(isSelectable).map(({ name, size }) => ({ name, size, problem: null })),
  };
}

interface SpecialTable {
  kind: "unreadable" | "versioned" | "by transaction" | "mark";
  database: string;
  name: string;
  comment: string;
}

/**
 * Finds tables that need special treatment. If the server cannot open a table, `table_comment` contains the
 * reason. The query selects data_length, because otherwise MariaDB does not try to open the tables.
 */
async function specialTables(
  query: (sql: string) => Promise<string[][]>,
  isMariadb: boolean,
): Promise<SpecialTable[]> {
  const tables = await query(
    `select case when table_name = '${MARK}' then 'mark'
                 when table_type = 'SYSTEM VERSIONED' and engine is not null then 'versioned'
                 else 'unreadable' end,
            hex(table_schema), hex(table_name), hex(table_comment), data_length
     from information_schema.tables
     where table_schema not in ('information_schema', 'performance_schema', 'sys')
       and (table_name = '${MARK}' or table_type = 'SYSTEM VERSIONED'
            or (table_type = 'VIEW' and table_comment not in ('', 'VIEW'))
            or (table_type <> 'VIEW' and engine is null))`,
  );
  const byTransaction = isMariadb && tables.some(([kind]) => kind === "versioned")
    ? await query(
      `select 'by transaction', hex(table_schema), hex(table_name), ''
       from information_schema.columns where generation_expression = 'ROW START' and data_type = 'bigint'`,
    )
    : [];
  return [...tables, ...byTransaction].map(([kind, database, name, comment]) => ({
    kind: kind as SpecialTable["kind"],
    database: fromHex(database!),
    name: fromHex(name!),
    comment: fromHex(comment ?? ""),
  }));
}

/** Returns the server's product and version, such as `MariaDB 10.11.6`. */
export function productName({ version, isMariadb }: ServerVersion): string {
  return `${isMariadb ? "MariaDB" : "MySQL"} ${/^[\d.]+/.exec(version)?.[0] ?? version}`;
}
