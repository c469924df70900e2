/** `workspaces`: manages workspaces and their members. */
import { Argument, type Command, Option } from "commander";
import { ROLES } from "../../domain/access/roles.ts";
import type { List } from "../api.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addDelete, type Deletable } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";
import type { Member, Workspace } from "../records.ts";

const WORKSPACE: Deletable = { noun: "workspace", path: "/workspaces" };

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
  const path = all === true ? "/workspaces?all=true" : "/workspaces";
  output.list(await listChosen<Workspace>(api, "list workspaces", path, choice), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show workspace ${id}`, `/workspaces/${id}`));
}

async function create({ api, output, terminal }: Cli, body: { name: string }): Promise<void> {
  const made = await api.post<{ data: Workspace }>("create the workspace", "/workspaces", body);
  output.answer(made, () => terminal.print(`Workspace ${made.data.id} created: ${made.data.name}\n`));
}

async function rename({ api, output, terminal }: Cli, id: number, body: { name: string }): Promise<void> {
  const changed = await api.call<{ data: Workspace }>({
    action: `rename workspace ${id}`,
    method: "PUT",
    path: `/workspaces/${id}`,
    body,
  });
  output.answer(changed, () => terminal.print(`Workspace ${id} renamed: ${changed.data.name}\n`));
}

async function leave({ api, output, terminal }: Cli, id: number): Promise<void> {
  const left = await api.call<{ message: string }>({
    action: `leave workspace ${id}`,
    method: "DELETE",
    path: `/workspaces/${id}/membership`,
  });
  output.answer(left, () => terminal.print(`${left.message}\n`));
}

async function listMembers({ api, output }: Cli, id: number): Promise<void> {
  const members = await api.pages(
    {},
    (query) =>
      api.get<List<Member>>(`list the members of workspace ${id}`, `/workspaces/${id}/members?${query}`),
  );
  output.list(members, MEMBERS);
}

async function addMember(
  { api, output, terminal }: Cli,
  id: number,
  body: { email: string; role: string },
): Promise<void> {
  const path = `/workspaces/${id}/members`;
  const made = await api.post<{ data: Member }>(`add a member to workspace ${id}`, path, body);
  const { email, role, user_id } = made.data;
  output.answer(made, () => terminal.print(`User ${user_id} added: ${email}, ${role}\n`));
}

async function setRole(
  { api, output, terminal }: Cli,
  id: number,
  user: number,
  body: { role: string },
): Promise<void> {
  const changed = await api.call<{ data: Member }>({
    action: `change the role of user ${user} in workspace ${id}`,
    method: "PUT",
    path: `/workspaces/${id}/members/${user}`,
    body,
  });
  output.answer(changed, () => terminal.print(`User ${user} is ${changed.data.role} now\n`));
}

async function removeMember({ api, output, terminal }: Cli, id: number, user: number): Promise<void> {
  const removed = await api.call<{ message: string }>({
    action: `remove user ${user} from workspace ${id}`,
    method: "DELETE",
    path: `/workspaces/${id}/members/${user}`,
  });
  output.answer(removed, () => terminal.print(`${removed.message}\n`));
}
