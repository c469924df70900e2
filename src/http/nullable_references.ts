/**
 * Corrects schemas of the OpenAPI document that permit either null or what another schema permits. The
 * generator writes such a schema as an `allOf` with a reference. Null does not match the reference, so it
 * never matches the `allOf`. This function writes an `anyOf` instead.
 */
export function permitNull(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.values(value).forEach(permitNull);
  if (!("allOf" in value) || !Array.isArray(value.allOf)) return;
  const [referenced, other] = value.allOf;
  if (referenced?.$ref === undefined || !Array.isArray(other?.type) || !other.type.includes("null")) return;
  const { type: _, ...words } = other;
  delete value.allOf;
  Object.assign(value, { anyOf: [referenced, { type: "null" }], ...words });
}
