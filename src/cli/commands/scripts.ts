/** `scripts`: manages the shell text that agents run before and after backups. */
import { Argument, type Command } from "commander";
import type { Body, Schema } from "../../client/client.ts";
import { SCRIPT_FIELDS } from "../../definitions/script_fields.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addDelete } from "../deletion.ts";
import { addFieldFlags, givenFields, type Options } from "../field_flags.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";
import { readFile, readStandardInput } from "../secret_source.ts";

type Script = Schema<"Script">;

const SCRIPT = { noun: "script", path: "/api/scripts" } as const;

/**
 * The fields with flags. `script` has none: the text is read from a file, because arguments are limited in
 * length and visible to every user.
 */
const { script: _, ...FLAGS } = SCRIPT_FIELDS;

const COLUMNS: readonly Column<Script>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Type", value: ({ type }) => type },
  { title: "Runs as", value: (script) => script.run_as },
  { title: "On failure", value: (script) => script.on_failure },
  { title: "Tasks", align: "right", value: (script) => script.backup_tasks_count },
];

interface ScriptOptions extends Options {
  file?: string;
}

export function addScriptCommands(program: Command): void {
  const scripts = program.command("scripts").description(
    "Scripts, which agents run before and after backups",
  );
  addListOptions(scripts.command("list"), ["type", "search", "sort"]).description("List them").action(
    calling(list),
  );
  scripts.command("show").addArgument(scriptId()).description("Show one").action(calling(show));
  addInput(scripts.command("create")).description("Create one").action(calling(create));
  addInput(scripts.command("update")).addArgument(scriptId())
    .description("Change the given fields of one; runs that have begun keep what they were sent")
    .action(calling(update));
  addDelete(scripts, scriptId(), SCRIPT);
}

function addInput(command: Command): Command {
  return addFieldFlags(command, FLAGS)
    .option("--file <path>", "the file with its text, or - for standard input");
}

function scriptId(): Argument {
  return new Argument("<script>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, options: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list scripts", SCRIPT.path, options), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show script ${id}`, `${SCRIPT.path}/{id}`, { id }));
}

async function create({ api, output, terminal }: Cli, options: ScriptOptions): Promise<void> {
  const made = await api.post("create the script", SCRIPT.path, { body: await bodyOf(options) });
  const { id, label, sha256 } = made.data;
  output.answer(made, () => terminal.print(`Script ${id} created: ${label}, SHA-256 ${sha256}\n`));
}

async function update({ api, output, terminal }: Cli, id: number, options: ScriptOptions): Promise<void> {
  const changed = await api.put(`update script ${id}`, `${SCRIPT.path}/{id}`, {
    id,
    body: await bodyOf(options),
  });
  const { label, sha256 } = changed.data;
  output.answer(changed, () => terminal.print(`Script ${id} updated: ${label}, SHA-256 ${sha256}\n`));
}

async function bodyOf({ file, ...flags }: ScriptOptions): Promise<Body<"/api/scripts">> {
  // The API refuses a new script that lacks a field.
  const fields = givenFields(FLAGS, flags) as Body<"/api/scripts">;
  if (file === undefined) return fields;
  return { ...fields, script: file === "-" ? await readStandardInput() : await readFile(file, "the script") };
}
