/** Quotes a name for MySQL and MariaDB. */
export function quote(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}
