import assert from "node:assert/strict";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { openapiDocument } from "./openapi.ts";
import { ENDPOINTS, GROUPS } from "./routes.ts";

// deno-lint-ignore no-explicit-any
const document: any = openapiDocument(ENDPOINTS, GROUPS, null, "0.0.0");

Deno.test("the document passes the linter's recommended rules, examples included", async () => {
  const config = await createConfig({
    extends: ["recommended"],
    rules: {
      "no-invalid-media-type-examples": "error",
      "no-invalid-parameter-examples": "error",
      "no-invalid-schema-examples": "error",
      "operation-4xx-response": "off", // told below, endpoint by endpoint
    },
  });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  const told = problems.map(({ ruleId, message, location, severity }) =>
    `${severity} ${ruleId} ${location[0]?.pointer ?? ""}: ${message}`
  );
  assert.deepEqual(told, []);
});
