/** Renames databases in SQL of MySQL and MariaDB, in names such as `shop.stock` and `` `shop`.`stock` ``. */
import { quote } from "./quote.ts";

/**
 * Matches one token: a string, quoted name, ordinary comment, word, white space or any other character. Some
 * comments contain code for the server, such as `/*!50001 …`. They are not matched as comments.
 */
const TOKEN = new RegExp(
  [
    /'(?:[^'\\]|\\[^]|'')*'/,
    /"(?:[^"\\]|\\[^]|"")*"/,
    /`(?:[^`]|``)*`/,
    /--[ \t][^\n]*/,
    /#[^\n]*/,
    /\/\*(?!M?!)[^]*?\*\//,
    /[A-Za-z0-9_$\u0080-\uffff]+/,
    /\s+/,
    /[^]/,
  ].map(({ source }) => source).join("|"),
  "g",
);
const SEQUENCE_FUNCTIONS = /^(?:nextval|lastval|setval)$/i;

export interface Renaming {
  from: string;
  to: string;
  /**
   * Whether the new name is valid without quotes. If so, it is not quoted where the old name was not quoted.
   */
  isPlain?: boolean;
}

interface Token {
  text: string;
  /** Name without its quotes; null if the token cannot be a name. */
  name: string | null;
  /** Index of the token in the list of all tokens. The list includes white space and comments. */
  at: number;
}

/**
 * Renames the database where it qualifies a function or a sequence. Servers write such qualified names in
 * definitions of tables and views.
 */
export function renameCalls(sql: string, renaming: Renaming): string {
  return rename(sql, renaming, (tokens, index) =>
    tokens[index + 3]?.text === "(" ||
    (tokens[index - 1]?.text === "(" && SEQUENCE_FUNCTIONS.test(tokens[index - 2]?.name ?? "")));
}

/**
 * Renames the database in front of a trigger's name and in front of its table's name. SHOW CREATE TRIGGER
 * prints both names as the trigger's author typed them, so the database might be in front of either name.
 */
export function renameTriggerHead(sql: string, renaming: Renaming): string {
  const isWord = (token: Token, word: string) => token.text.toUpperCase() === word;
  return rename(sql, renaming, (tokens, index) => {
    const start = tokens.findIndex((token) => isWord(token, "TRIGGER"));
    const end = tokens.findIndex((token, at) =>
      isWord(token, "FOR") && isWord(tokens[at + 1] ?? token, "EACH")
    );
    return start !== -1 && index > start && index < end;
  });
}

/**
 * Renames a database wherever its name qualifies another name. Returns the SQL unchanged if the name also
 * occurs without a dot after it. There, the name might be that of a table, column or alias. A table, column
 * or alias can qualify names too, so it would be unclear what a name before a dot means.
 */
export function renameDatabase(sql: string, renaming: Renaming): string {
  return standsAlone(sql, renaming.from, /^(?:DATABASE|USE|\.)$/i) ? sql : rename(sql, renaming, () => true);
}

/**
 * Renames the database in a view's definition. Normally renames it wherever its name qualifies another name.
 * This includes the names of all tables in a view that reads several databases, because servers qualify them.
 * If an alias has the database's name, renames the database only in front of functions and sequences.
 */
export function renameInView(sql: string, renaming: Renaming): string {
  return standsAlone(sql, renaming.from, /^(?:AS|VIEW|\.)$/i)
    ? renameCalls(sql, renaming)
    : rename(sql, renaming, () => true);
}

/**
 * Returns whether the database's name occurs somewhere without a dot after it. Such an occurrence might be an
 * alias. Then the same name in front of a column might mean the alias, not the database. Occurrences right
 * after a token that matches `harmless` do not count.
 */
function standsAlone(sql: string, name: string, harmless: RegExp): boolean {
  const tokens = significant(sql);
  return tokens.some((token, index) =>
    token.name === name && tokens[index + 1]?.text !== "." && !harmless.test(tokens[index - 1]?.text ?? "")
  );
}

/**
 * Renames the database wherever its name qualifies another name, as in `shop.orders`. Leaves an occurrence
 * unchanged if `isMeant` returns false for it.
 *
 * @param isMeant Receives the tokens without white space and comments, and the index of the token that is the
 *   database's name.
 */
function rename(
  sql: string,
  { from, to, isPlain = false }: Renaming,
  isMeant: (tokens: readonly Token[], index: number) => boolean,
): string {
  if (![from, from.replaceAll("`", "``"), from.replaceAll('"', '""')].some((name) => sql.includes(name))) {
    return sql;
  }
  const all = sql.match(TOKEN) ?? [];
  const tokens = significant(sql);
  for (const [index, { name, at }] of tokens.entries()) {
    if (name !== from || tokens[index + 1]?.text !== "." || tokens[index - 1]?.text === ".") continue;
    if ((tokens[index + 2]?.name ?? null) !== null && isMeant(tokens, index)) {
      all[at] = sameQuotes(all[at]!, to, isPlain);
    }
  }
  return all.join("");
}

function sameQuotes(old: string, name: string, isPlain: boolean): string {
  if (isPlain && !/^[`"]/.test(old)) return name;
  return old.startsWith('"') ? `"${name.replaceAll('"', '""')}"` : quote(name);
}

function significant(sql: string): Token[] {
  return (sql.match(TOKEN) ?? []).map((text, at) => ({ text, name: nameOf(text), at })).filter(({ text }) =>
    !/^(?:\s|--[ \t]|#|\/\*)/.test(text)
  );
}

function nameOf(text: string): string | null {
  if (/^[`"]/.test(text)) return text.slice(1, -1).replaceAll(text[0]! + text[0]!, text[0]!);
  return /^[A-Za-z0-9_$\u0080-\uffff]/.test(text) ? text : null;
}
