/** `tags`: manages the labels by which tasks are grouped. */
import { Argument, type Command } from "commander";
import type { Body, Schema } from "../../../client/client.ts";
import { TAG_FIELDS } from "../../../definitions/tag_fields.ts";
import { calling, type Cli, parseId } from "../../command_line.ts";
import { addDelete } from "../../deletion.ts";
import { addFieldFlags, givenFields, type Options } from "../../field_flags.ts";
import { addListOptions, type ListChoice, listChosen } from "../../list_options.ts";
import type { Column } from "../../output.ts";

const TAG = { noun: "tag", path: "/api/tags" } as const;

const COLUMNS: readonly Column<Schema<"Tag">>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Colour", value: ({ colour }) => colour },
  { title: "Description", value: ({ description }) => description },
];

export function addTagCommands(program: Command): void {
  const tags = program.command("tags").description("Tags, which group tasks");
  addListOptions(tags.command("list"), ["search", "sort"]).description("List them").action(calling(list));
  tags.command("show").addArgument(tagId()).description("Show one").action(calling(show));
  addFieldFlags(tags.command("create"), TAG_FIELDS).description("Create one").action(calling(create));
  addFieldFlags(tags.command("update"), TAG_FIELDS).addArgument(tagId())
    .description("Change the given fields of one").action(calling(update));
  addDelete(tags, tagId(), TAG);
}

function tagId(): Argument {
  return new Argument("<tag>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, options: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list tags", TAG.path, options), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show tag ${id}`, `${TAG.path}/{id}`, { id }));
}

async function create({ api, output, terminal }: Cli, options: Options): Promise<void> {
  // The API refuses a new tag that lacks a field.
  const body = givenFields(TAG_FIELDS, options) as Body<"/api/tags">;
  const made = await api.post("create the tag", TAG.path, { body });
  output.answer(made, () => terminal.print(`Tag ${made.data.id} created: ${made.data.label}\n`));
}

async function update({ api, output, terminal }: Cli, id: number, options: Options): Promise<void> {
  const body = givenFields(TAG_FIELDS, options);
  const changed = await api.put(`update tag ${id}`, `${TAG.path}/{id}`, { id, body });
  output.answer(changed, () => terminal.print(`Tag ${id} updated: ${changed.data.label}\n`));
}
