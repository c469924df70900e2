import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/clients/api.ts";
import { newDestination, newServer } from "../../../tests/support/fixtures/records.ts";
import { columnNames, newColumns } from "../../definitions/fields/columns.ts";
import type { Field } from "../../definitions/fields/field.ts";
import { type Format, formatOf } from "../../definitions/fields/format.ts";
import { hasDefault } from "../../definitions/fields/input.ts";
import { TASK_FIELDS } from "../../definitions/task_fields.ts";

const TYPES: Readonly<Record<Format["type"], readonly string[]>> = {
  text: ["text"],
  number: ["smallint", "integer", "bigint"],
  boolean: ["boolean"],
  choice: ["text"],
  list: ["ARRAY"],
  map: ["jsonb"],
};

Deno.test("the table of tasks has a column of the right type for every field", async () => {
  await using api = await testApi();
  const columns = new Map((await api.database`
    select column_name as name, data_type as type, is_nullable = 'YES' as nullable
    from information_schema.columns where table_name = 'backup_tasks'`).map((row) => [row.name, row]));
  for (const [name, field] of Object.entries<Field>(TASK_FIELDS)) {
    if (field.relation !== undefined) continue;
    if (field.storedIn !== undefined) {
      assert.deepEqual(columns.get(field.storedIn), { name: field.storedIn, type: "jsonb", nullable: false });
      assert.ok(!field.isRequired, name);
      continue;
    }
    const column = columns.get(field.isSecret ? `${name}_encrypted` : name);
    assert.ok(column !== undefined, `There is no column for ${name}`);
    assert.ok(TYPES[formatOf(field.schema).type].includes(column.type), `${name} is of type ${column.type}`);
    assert.equal(column.nullable, !field.isRequired && !hasDefault(field), name);
  }
});

Deno.test("a field that a row leaves out has the default that the API gives it", async () => {
  await using api = await testApi();
  const client = await api.user();
  const given = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
    label: "Home",
    type: "files" as const,
    source_path: "/home",
    frequency: "daily" as const,
    time_to_run_at: "01:00",
    timezone: "UTC",
  };
  const now = api.clock.now();
  const { source_path, ...columns } = given;
  const stamps = { created_at: now, updated_at: now };
  const values = { ...columns, ...stamps, user_id: client.userId, source_settings: { source_path } };
  const [row] = await api.database`insert into backup_tasks ${api.database(values)} returning *`;
  const shown = Object.fromEntries(columnNames(TASK_FIELDS).map((name) => [name, row![name]]));
  assert.deepEqual(shown, newColumns(TASK_FIELDS, given, (secret) => secret));
});
