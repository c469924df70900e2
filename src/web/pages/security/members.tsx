/** The page `/security`: who may do what in this workspace, and which workspaces there are. */
import { roleOf, ROLES } from "../../../domain/access/roles.ts";
import type { RowOf } from "../../../client/client.ts";
import { Confirm, FormFields, PostButton, Select, TextField } from "../../components/form.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { SecurityFrame } from "./tabs.tsx";

type Member = RowOf<"/api/workspaces/{id}/members">;
type Workspace = RowOf<"/api/workspaces">;

const ROLE_CHOICES = ROLES.map((role) => ({ value: role, label: role }));

function columnsOf(view: View): Column<Member>[] {
  const mayManage = view.may("manage-workspace");
  return [
    { label: "Member", kind: "main", cell: ({ name }) => name },
    { label: "Email", cell: ({ email }) => email },
    { label: "Role", cell: ({ role }) => <span title={roleOf(role).summary}>{role}</span> },
    {
      label: "Action",
      kind: "action",
      cell: (member) => mayManage ? <MemberActions view={view} member={member} /> : null,
    },
  ];
}

function MemberActions({ view, member: { user_id: id, name, role } }: { view: View; member: Member }) {
  return (
    <span class="buttons">
      <form method="post" action={view.path(`/security/members/${id}`)} class="inline">
        <FormFields view={view} />
        <select name="role" aria-label={`Role of ${name}`}>
          {ROLES.map((each) => <option key={each} value={each} selected={each === role}>{each}</option>)}
        </select>
        <button class="button quiet" type="submit">Change</button>
      </form>
      <Confirm view={view} open="Remove" action={`/security/members/${id}/remove`} label={`Remove ${name}`}>
        <p>{name} no longer sees this workspace. The tokens that {name} made for it stop working.</p>
      </Confirm>
    </span>
  );
}

interface MembersProps {
  readonly view: View;
  readonly members: readonly Member[];
  readonly workspaces: readonly Workspace[];
  readonly typed?: { readonly email: string; readonly role: string };
  readonly errors?: Readonly<Record<string, string>>;
}

function MembersPage({ view, members, workspaces, typed, errors = {} }: MembersProps) {
  return (
    <SecurityFrame view={view} current="/security">
      <section class="section" aria-labelledby="members">
        <h2 id="members">Members of {view.workspace.name}</h2>
        <Table
          view={view}
          caption="Members"
          columns={columnsOf(view)}
          rows={members}
          keyOf={(member) => member.user_id}
        />
        {view.may("manage-workspace")
          ? (
            <form class="filters" method="post" action={view.path("/security/members")}>
              <FormFields view={view} />
              <TextField
                name="email"
                label="Add a user by email"
                type="email"
                value={typed?.email}
                error={errors.email}
              />
              <Select
                name="role"
                label="Role"
                value={typed?.role ?? "viewer"}
                choices={ROLE_CHOICES}
                error={errors.role}
              />
              <button class="button quiet" type="submit">Add</button>
            </form>
          )
          : null}
        <dl class="roles">
          {ROLES.map((role) => (
            <div key={role}>
              <dt>{role}</dt>
              <dd class="muted">{roleOf(role).summary}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="section" aria-labelledby="workspaces">
        <h2 id="workspaces">Your workspaces</h2>
        <Table
          view={view}
          caption="Your workspaces"
          columns={workspaceColumns(view)}
          rows={workspaces}
          keyOf={(workspace) => workspace.id}
        />
      </section>
    </SecurityFrame>
  );
}

function workspaceColumns(view: View): Column<Workspace>[] {
  return [
    { label: "Workspace", kind: "main", cell: ({ name }) => name },
    { label: "Your role", cell: ({ role }) => role ?? "" },
    { label: "Members", kind: "number", cell: ({ members_count }) => String(members_count) },
    {
      label: "Action",
      kind: "action",
      cell: ({ id, name, role }) =>
        id === view.workspace.id ? "Open now" : role === null ? null : (
          <PostButton
            view={view}
            action={`/security/workspaces/${id}/open`}
            label="Open"
            about={name}
          />
        ),
    },
  ];
}

async function show(view: View, more: Pick<MembersProps, "typed" | "errors"> = {}): Promise<PageContent> {
  const [members, workspaces] = await Promise.all([
    view.list("/api/workspaces/{id}/members", { id: view.workspace.id, query: { per_page: 100 } }),
    view.list("/api/workspaces", { query: { per_page: 100 } }),
  ]);
  return {
    title: "Security",
    status: more.errors === undefined ? 200 : 422,
    content: <MembersPage view={view} members={members.rows} workspaces={workspaces.rows} {...more} />,
  };
}

export function addMembersPage(site: Site): void {
  addPage(site, "/security", (view) => show(view));
  addAction(site, "/security/members", async (view, form) => {
    const typed = { email: form.text("email"), role: form.text("role") };
    const answer = await view.call("POST", path`/api/workspaces/${view.workspace.id}/members`, {
      body: typed,
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 422) return await show(view, { typed, errors: answer.errors });
    if (answer.status >= 300) return refused(view, form, answer);
    return { goTo: "/security", done: `${typed.email} is a member now.` };
  });
  addAction(site, "/security/members/:id", async (view, form, parameter) => {
    const answer = await view.call(
      "PUT",
      path`/api/workspaces/${view.workspace.id}/members/${parameter("id")}`,
      { body: { role: form.text("role") }, csrf: form.text("csrf_token") },
    );
    return answer.status === 200
      ? { goTo: "/security", done: "The role is changed." }
      : refused(view, form, answer);
  });
  addAction(site, "/security/members/:id/remove", async (view, form, parameter) => {
    const answer = await view.call(
      "DELETE",
      path`/api/workspaces/${view.workspace.id}/members/${parameter("id")}`,
      { csrf: form.text("csrf_token") },
    );
    return answer.status === 200
      ? { goTo: "/security", done: "The member is removed." }
      : refused(view, form, answer);
  });
  addSimpleAction(site, "/security/workspaces/:id/open", {
    method: "PUT",
    to: () => "/api/session/workspace",
    body: (_form, parameter) => ({ workspace_id: parameter("id") }),
    done: "You are in another workspace now.",
    goTo: () => "/",
  });
}
