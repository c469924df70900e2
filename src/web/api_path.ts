/** Fills paths of the API for pages. */

/**
 * Returns a path in which each name in braces is replaced by its value. For example, this call returns
 * `/api/tags/7`: `fill("/api/tags/{id}", { id: 7 })`. Appends the parameters in `input.query`, except those
 * that are null or empty.
 */
export function fill(path: string, input: object = {}): string {
  const { query = {}, ...values } = input as { query?: object } & Record<string, string | number>;
  const filled = path.replaceAll(
    /\{(\w+)\}/g,
    (name, key) => key in values ? encodeURIComponent(values[key]!) : name,
  );
  const given = Object.entries(query).filter(([, value]) => (value ?? "") !== "");
  return given.length === 0 ? filled : `${filled}?${new URLSearchParams(given)}`;
}
