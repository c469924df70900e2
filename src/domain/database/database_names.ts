/**
 * Parses the lists of database or table names that callers send for a task. Commas separate names. A blank
 * after a comma belongs to the separator. All other characters are part of a name, even a blank at its end. A
 * name that contains a comma or begins with a blank is written in double quotes.
 */

/** Splits a list at each comma outside double quotes. Names keep their quotes. */
export function splitNames(text: string): string[] {
  const names: string[] = [];
  let name = "";
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') isQuoted = isQuoted ? false : text.includes('"', at + 1);
    if (character !== "," || isQuoted) {
      name += character;
      continue;
    }
    names.push(name);
    name = "";
    while (" \t".includes(text.charAt(at + 1)) && at + 1 < text.length) at++;
  }
  return [...names, name];
}

/** Splits a list of databases and removes the quotes: `"a, b"` is one database named `a, b`. */
export function splitDatabaseNames(text: string): string[] {
  return splitNames(text).map((name) => {
    const [, inner] = /^"((?:[^"]|"")+)"$/s.exec(name) ?? [];
    return inner === undefined ? name : inner.replaceAll('""', '"');
  });
}

/** Returns a name as it is written in a list of databases; see {@link splitDatabaseNames}. */
export function quoteDatabaseName(name: string): string {
  return /[",]|^[ \t]|^\*$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
