/**
 * Lists of names in one text, as callers send the databases and tables of a task. Commas separate; the blanks after a
 * comma belong to it. Everything else is taken to the letter, as a name may end with a blank. Double quotes hold a
 * name that has a comma in it or begins with a blank.
 */

/** Splits a list at each comma outside of double quotes. The quotes stay. */
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

/** Splits a list of databases: `"a, b"` is the one database `a, b`. */
export function splitDatabaseNames(text: string): string[] {
  return splitNames(text).map((name) => {
    const [, inner] = /^"((?:[^"]|"")+)"$/s.exec(name) ?? [];
    return inner === undefined ? name : inner.replaceAll('""', '"');
  });
}
