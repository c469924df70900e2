/**
 * Corrects each schema of the OpenAPI document that references another schema and permits null. The generator
 * writes an `allOf` for such a schema, and null never satisfies it.
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
