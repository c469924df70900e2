import assert from "node:assert/strict";
import { Command } from "commander";
import type { FieldTable } from "../definitions/fields/field.ts";
import { formatOf } from "../definitions/fields/format.ts";
import { TASK_FIELDS } from "../definitions/task_fields.ts";
import { addFieldFlags, givenFields, givenSecrets } from "./field_flags.ts";
import { rearguard } from "./program.ts";

Deno.test("every field of a task has a flag with its help", () => {
  const create = rearguard().commands.find((command) => command.name() === "tasks")!
    .commands.find((command) => command.name() === "create")!;
  for (const [name, { help, isSecret }] of Object.entries(TASK_FIELDS as FieldTable)) {
    const flag = `--${name.replaceAll("_", "-")}${isSecret ? "-from" : ""}`;
    const option = create.options.find(({ long }) => long === flag);
    assert.ok(option?.description.startsWith(help), flag);
  }
});

Deno.test("flags become the fields that they are named after", () => {
  const command = addFieldFlags(new Command(), TASK_FIELDS).exitOverride();
  const typed = { text: "x", number: "7", boolean: "false", choice: "", list: "x", map: "" };
  const expected: Record<string, unknown> = {};
  const secrets: string[] = [];
  const args: string[] = [];
  for (const [name, { schema, isSecret }] of Object.entries(TASK_FIELDS as FieldTable)) {
    const format = formatOf(schema);
    const value = format.type === "choice" ? format.choices.at(-1)! : typed[format.type];
    const flag = `--${name.replaceAll("_", "-")}`;
    if (isSecret) {
      secrets.push(name);
      args.push(`${flag}-from`, "env:NAME");
    } else if (format.type === "list") {
      expected[name] = ["first", "second"];
      args.push(flag, "first", flag, "second");
    } else if (format.type === "map") {
      const [first, last] = [Object.keys(format.entries)[0]!, Object.keys(format.entries).at(-1)!];
      expected[name] = { [first]: "fail", [last]: "ignore" };
      args.push(flag, `${first}=fail`, flag, `${last}=ignore`);
    } else {
      expected[name] = value;
      args.push(flag, value);
    }
  }
  const options = command.parse(args, { from: "user" }).opts();
  assert.deepEqual(givenFields(TASK_FIELDS, options), expected);
  assert.deepEqual(
    givenSecrets(TASK_FIELDS, options),
    secrets.map((name) => [name, { from: "env", name: "NAME" }]),
  );
  const bare = addFieldFlags(new Command(), TASK_FIELDS).parse(["--allow-unreadable"], { from: "user" });
  assert.deepEqual(givenFields(TASK_FIELDS, bare.opts()), { allow_unreadable: true });
});
