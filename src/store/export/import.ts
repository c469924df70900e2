/**
 * Loads an export into an empty database, in one transaction and without `psql`. `export.ts` writes exports.
 */
import { transaction } from "../database/database.ts";
import type { Database, Sql } from "../database/sql.ts";
import { EXPORT_END, EXPORT_START } from "./export.ts";

/** Reports that the text is not a complete export. Nothing was loaded. */
class ImportError extends Error {
  override readonly name = "ImportError";
}

const COPY = /^copy (\S+) \((.+)\) from stdin;$/;
const ROWS_AT_ONCE = 500;

/** Returns whether a database contains no tables, views or sequences. */
export async function isEmptyDatabase(sql: Sql): Promise<boolean> {
  const rows = await sql`
    select from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
    limit 1`;
  return rows.length === 0;
}

/**
 * Loads an export. If this throws, nothing was loaded.
 *
 * @param lines The lines of the text, without line breaks.
 * @param check Checks the loaded rows before the commit.
 */
export function loadExport(
  database: Database,
  lines: AsyncIterable<string>,
  check: (sql: Sql) => Promise<void>,
): Promise<void> {
  return transaction(database, async (sql) => {
    let statements: string[] = [];
    let rows: RowLoader | null = null;
    let last: string | null = null;
    const run = async () => {
      if (statements.length > 0) await sql.unsafe(statements.join("\n")).simple();
      statements = [];
    };
    for await (const line of lines) {
      if (last === null && !line.startsWith(EXPORT_START)) {
        throw new ImportError("Cannot load the export: it does not begin as one does");
      }
      last = line;
      if (rows !== null) {
        if (line !== "\\.") await rows.take(line);
        else {
          await rows.flush();
          rows = null;
        }
        continue;
      }
      const copy = COPY.exec(line);
      if (copy !== null) {
        await run();
        rows = await RowLoader.open(sql, copy[1]!, copy[2]!.split(", "));
        // This function runs in its own transaction, so the export's `begin` and `commit` are skipped.
      } else if (line !== "begin;" && line !== "commit;") statements.push(line);
    }
    if (last !== EXPORT_END) throw new ImportError("Cannot load the export: it is cut short");
    await run();
    await check(sql);
  });
}

class RowLoader {
  #rows: (string | null)[][] = [];

  private constructor(
    private readonly sql: Sql,
    private readonly insert: string,
    private readonly width: number,
  ) {}

  static async open(sql: Sql, table: string, columns: string[]): Promise<RowLoader> {
    const types = await sql<{ name: string; type: string }[]>`
      select quote_ident(attname) as name, format_type(atttypid, atttypmod) as type
      from pg_attribute where attrelid = ${table}::text::regclass and attnum > 0 and not attisdropped`;
    const typeOf = new Map(types.map(({ name, type }) => [name, type]));
    const values = columns.map((column, index) => `(row ->> ${index})::${typeOf.get(column)}`);
    return new RowLoader(
      sql,
      `insert into ${table} (${columns.join(", ")}) overriding system value ` +
        `select ${values.join(", ")} from json_array_elements($1::text::json) row`,
      columns.length,
    );
  }

  async take(line: string): Promise<void> {
    const values = line.split("\t").map(plainValue);
    if (values.length !== this.width) throw new ImportError("Cannot load the export: a row is damaged");
    this.#rows.push(values);
    if (this.#rows.length >= ROWS_AT_ONCE) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    await this.sql.unsafe(this.insert, [JSON.stringify(this.#rows)]);
    this.#rows = [];
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

/**
 * Decodes a value of COPY's text format; supports only the escapes that exports contain. Returns null for
 * SQL's null.
 */
function plainValue(text: string): string | null {
  if (text === "\\N") return null;
  return text.replace(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
}
