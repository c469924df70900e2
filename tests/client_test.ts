import assert from "node:assert/strict";
import { clientSchema } from "./client.ts";

Deno.test("the types of the API's client are those of the OpenAPI document", async () => {
  const { text, generated } = await clientSchema();
  assert.ok(text === generated, "src/client/schema.d.ts is out of date. Run deno task client.");
});
