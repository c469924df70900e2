import assert from "node:assert/strict";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { testApi } from "../../tests/support/clients/api.ts";
import { generatedNames } from "../../tests/support/fixtures/generated_names.ts";
import type { Endpoint } from "./endpoint.ts";
import { openapiDocument } from "./openapi.ts";
import { ENDPOINTS, GROUPS } from "./routes.ts";

// deno-lint-ignore no-explicit-any
const document: any = openapiDocument(ENDPOINTS, GROUPS, null, "0.0.0");
const operationOf = ({ path, method }: Endpoint) => document.paths[path]?.[method];
const isForTokens = ({ access }: Endpoint) =>
  access !== "public" && access !== "agent" && access !== "trigger";

Deno.test("the document passes the linter's recommended rules without a warning", async () => {
  const config = await createConfig({
    extends: ["recommended"],
    rules: {
      "no-invalid-media-type-examples": "error",
      "no-invalid-parameter-examples": "error",
      "no-invalid-schema-examples": "error",
      "operation-2xx-response": "off", // a websocket's handshake is answered with 101
      "operation-4xx-response": "off", // health checks have none; the others are tested below
    },
  });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  const lines = problems.map(({ ruleId, message, location, severity }) =>
    `${severity} ${ruleId} ${location[0]?.pointer ?? ""}: ${message}`
  );
  assert.deepEqual(lines, []);
});

Deno.test("client generators produce no name twice, ignoring case", () => {
  const made = Map.groupBy(generatedNames(document), ({ name }) => name.toLowerCase());
  const twice = [...made.values()].map((parts) => [...new Set(parts.map(({ of }) => of))])
    .filter((parts) => parts.length > 1);
  assert.deepEqual(twice, []);
});

Deno.test("a reference that permits null is a choice between both", () => {
  const { schemas } = document.components;
  const reference = { $ref: "#/components/schemas/NamedRecord" };
  assert.deepEqual(schemas.BackupTaskLog.properties.backup_task.anyOf, [reference, { type: "null" }]);
  const { role } = schemas.Workspace.properties;
  assert.deepEqual(role.anyOf, [{ $ref: "#/components/schemas/Role" }, { type: "null" }]);
  assert.match(role.description, /not a member/);
  assert.equal(JSON.stringify(document).includes('"type":["object","null"]}]'), false);
});

Deno.test("every served route is described, and every described route is served", async () => {
  await using api = await testApi();
  const served = api.app.routes
    .filter(({ method, path }) => method !== "ALL" && !/^\/docs(\/|$)/.test(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`)
  );
  assert.deepEqual([...new Set(served)].sort(), described.sort());
  assert.equal(new Set(ENDPOINTS.map(({ operationId }) => operationId)).size, ENDPOINTS.length);
});

Deno.test("every request and response has an example that its schema accepts", () => {
  for (const endpoint of ENDPOINTS) {
    const operation = operationOf(endpoint);
    const name = endpoint.operationId;
    if (endpoint.body !== undefined) {
      const taken = endpoint.body.schema.safeParse(endpoint.body.example);
      assert.ok(taken.success, `${name}: the request's example: ${taken.error}`);
      for (const content of Object.values<{ example: unknown }>(operation.requestBody.content)) {
        assert.deepEqual(content.example, JSON.parse(JSON.stringify(endpoint.body.example)), name);
      }
    }
    if (endpoint.answer.content !== undefined) {
      const { schema, example } = endpoint.answer.content;
      const taken = schema.safeParse(example);
      assert.ok(taken.success, `${name}: the answer's example: ${taken.error}`);
      assert.deepEqual(
        Object.keys(taken.data as object).sort(),
        Object.keys(example as object).sort(),
        `${name}: unknown fields`,
      );
    }
    for (
      const [status, response] of Object.entries<{ content?: Record<string, { example: unknown }> }>(
        operation.responses,
      )
    ) {
      for (const content of Object.values(response.content ?? {})) {
        assert.ok(content.example !== undefined, `${name} ${status} has no example`);
      }
    }
    for (const parameter of operation.parameters ?? []) {
      const described = "$ref" in parameter ? document.components.parameters["Idempotency-Key"] : parameter;
      assert.ok((described.example ?? described.schema.example) !== undefined, `${name} ${described.name}`);
    }
  }
});

Deno.test("every possible error of a request is declared", () => {
  for (const endpoint of ENDPOINTS) {
    const operation = operationOf(endpoint);
    const statuses = ["500", "503"];
    if (endpoint.method !== "get") statuses.push("400", "413", "415");
    if (isForTokens(endpoint)) {
      statuses.push("401", "429");
      if (endpoint.access !== "any token") statuses.push("403");
      if (endpoint.method === "post") statuses.push("409", "422");
    }
    // For an unknown task, a trigger's endpoint responds as for a wrong token, and never with 404.
    if (endpoint.access === "trigger") statuses.push("401", "429");
    else if (endpoint.ids !== undefined) statuses.push("404");
    if (endpoint.body !== undefined || endpoint.query !== undefined) statuses.push("422");
    for (const status of statuses) {
      assert.ok(operation.responses[status], `${endpoint.operationId} doesn't declare ${status}`);
    }
    const success = endpoint.operationId === "connectAgent" ? "101" : /^20[0-2]$/;
    assert.match(String(endpoint.answer.status), new RegExp(success), endpoint.operationId);
    const { security } = operation;
    const ways = { public: 0, agent: 1, session: 1, trigger: 3 }[endpoint.access as string] ?? 2;
    assert.equal(security.length, ways, endpoint.operationId);
  }
});
