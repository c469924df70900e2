/** Fills paths of the API for pages. */

/**
 * Returns a path with its query, and with values in place of the names in braces. For example,
 * `fill("/api/tags/{id}", { id: 7 })` returns `/api/tags/7`. Query parameters that are null or empty are left
 * out.
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
