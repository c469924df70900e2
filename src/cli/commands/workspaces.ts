/** `workspaces`: manages workspaces and their members. */
import { Argument, type Command, Option } from "commander";
import type { Schema } from "../../client/client.ts";
import { type Role, ROLES } from "../../domain/access/roles.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addDelete } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type Member = Schema<"WorkspaceMember">;
type Workspace = Schema<"Workspace">;

const WORKSPACE = { noun: "workspace", path: "/api/workspaces" } as const;

const COLUMNS: readonly Column<Workspace>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Name", value: ({ name }) => name },
  { title: "Your role", value: ({ role }) => role },
  { title: "Members", align: "right", value: (workspace) => workspace.members_count },
  { title: "Own", value: (workspace) => workspace.own_of_user_id === null ? null : "yes" },
];

const MEMBERS: readonly Column<Member>[] = [
  { title: "User", align: "right", value: (member) => member.user_id },
  { title: "Name", value: ({ name }) => name },
  { title: "Email", value: ({ email }) => email },
  { title: "Role", value: ({ role }) => role },
];

export function addWorkspaceCommands(program: Command): void {
  const workspaces = program.command("workspaces").description("Workspaces, whose members share records");
  addListOptions(workspaces.command("list"), ["search", "sort"]).description("List yours")
    .option("--all", "those of all users, for administrators")
    .action(calling(list));
  workspaces.command("show").addArgument(workspaceId()).description("Show one").action(calling(show));
  workspaces.command("create").requiredOption("--name <text>", "its name")
    .description("Create one, as its manager").action(calling(create));
  workspaces.command("rename").addArgument(workspaceId()).requiredOption("--name <text>", "its new name")
    .description("Rename one").action(calling(rename));
  addDelete(workspaces, workspaceId(), WORKSPACE);
  workspaces.command("leave").addArgument(workspaceId())
    .description("Leave one; your tokens for it are revoked").action(calling(leave));
  addMemberCommands(workspaces);
}

function addMemberCommands(workspaces: Command): void {
  workspaces.command("members").addArgument(workspaceId()).description("List the members of one")
    .action(calling(listMembers));
  workspaces.command("add-member").addArgument(workspaceId())
    .requiredOption("--email <address>", "the user's email address").addOption(roleOption())
    .description("Add a user to one").action(calling(addMember));
  workspaces.command("set-role").addArgument(workspaceId()).addArgument(userId()).addOption(roleOption())
    .description("Change the role of a member").action(calling(setRole));
  workspaces.command("remove-member").addArgument(workspaceId()).addArgument(userId())
    .description("Remove a member; their tokens for the workspace are revoked").action(calling(removeMember));
}

function workspaceId(): Argument {
  return new Argument("<workspace>", "its id").argParser(parseId);
}

function userId(): Argument {
  return new Argument("<user>", "the member's user id").argParser(parseId);
}

function roleOption(): Option {
  return new Option("--role <role>", "what the member may do").choices([...ROLES]).makeOptionMandatory();
}

async function list({ api, output }: Cli, { all, ...choice }: ListChoice & { all?: boolean }): Promise<void> {
  output.list(await listChosen(api, "list workspaces", WORKSPACE.path, choice, { query: { all } }), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show workspace ${id}`, "/api/workspaces/{id}", { id }));
}

async function create({ api, output, terminal }: Cli, body: { name: string }): Promise<void> {
  const made = await api.post("create the workspace", WORKSPACE.path, { body });
  output.answer(made, () => terminal.print(`Workspace ${made.data.id} created: ${made.data.name}\n`));
}

async function rename({ api, output, terminal }: Cli, id: number, body: { name: string }): Promise<void> {
  const changed = await api.put(`rename workspace ${id}`, "/api/workspaces/{id}", { id, body });
  output.answer(changed, () => terminal.print(`Workspace ${id} renamed: ${changed.data.name}\n`));
}

async function leave({ api, output, terminal }: Cli, id: number): Promise<void> {
  const left = await api.delete(`leave workspace ${id}`, "/api/workspaces/{id}/membership", { id });
  output.answer(left, () => terminal.print(`${left.message}\n`));
}

async function listMembers({ api, output }: Cli, id: number): Promise<void> {
  const action = `list the members of workspace ${id}`;
  output.list(await api.list(action, "/api/workspaces/{id}/members", {}, { id }), MEMBERS);
}

async function addMember(
  { api, output, terminal }: Cli,
  id: number,
  body: { email: string; role: Role },
): Promise<void> {
  const path = "/api/workspaces/{id}/members";
  const made = await api.post(`add a member to workspace ${id}`, path, { id, body });
  const { email, role, user_id } = made.data;
  output.answer(made, () => terminal.print(`User ${user_id} added: ${email}, ${role}\n`));
}

async function setRole(
  { api, output, terminal }: Cli,
  id: number,
  user_id: number,
  body: { role: Role },
): Promise<void> {
  const changed = await api.put(
    `change the role of user ${user_id} in workspace ${id}`,
    "/api/workspaces/{id}/members/{user_id}",
    { id, user_id, body },
  );
  output.answer(changed, () => terminal.print(`User ${user_id} is ${changed.data.role} now\n`));
}

async function removeMember({ api, output, terminal }: Cli, id: number, user_id: number): Promise<void> {
  const removed = await api.delete(
    `remove user ${user_id} from workspace ${id}`,
    "/api/workspaces/{id}/members/{user_id}",
    { id, user_id },
  );
  output.answer(removed, () => terminal.print(`${removed.message}\n`));
}
