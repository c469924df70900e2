/**
 * Checks the start or the end of a stored stream by its format, as its source did when the backup was made.
 */
import type { Children } from "../../programs/children.ts";
import type { FrameWatch } from "../../transforms/frames.ts";
import { checkClosing } from "./dump_messages.ts";
import { checkEnd } from "../files/files.ts";
import { CLOSING as MYSQL_CLOSING } from "../mysql/mysql.ts";
import { checkCustom, CLOSING as POSTGRESQL_CLOSING } from "../postgresql/postgresql.ts";
import type { PartEnd } from "../source.ts";

/** Returns the format by an object's name: `tar`, `sql`, `dump`. */
export function formatOf(name: string): string {
  return /\.(\w+)\.zst(?:\.age)?$/.exec(name)?.[1] ?? "";
}

/**
 * Rejects with a `RunFailedError` that says what is missing.
 *
 * @param watch Has seen the whole stream.
 * @param sourceType Type from the manifest; null if it is not known.
 */
export async function checkStoredEnd(
  object: { name: string; database: string | null },
  sourceType: string | null,
  watch: FrameWatch,
  end: PartEnd,
  children: Children,
): Promise<void> {
  const label = object.database === null ? object.name : `database ${object.database}`;
  switch (formatOf(object.name)) {
    case "tar":
      return checkEnd(end);
    case "dump":
      return checkCustom(label, await watch.start(children));
    case "sql":
      return checkClosing(label, end.tail, closingOf(sourceType));
  }
}

function closingOf(sourceType: string | null): RegExp {
  if (sourceType === "mysql") return MYSQL_CLOSING;
  if (sourceType === "postgresql") return POSTGRESQL_CLOSING;
  return new RegExp(`${MYSQL_CLOSING.source}|${POSTGRESQL_CLOSING.source}`);
}
