/** The page `/security/users`: the users of the installation, for administrators. */
import type { RowOf } from "../../../client/client.ts";
import { Checkbox, Confirm, CopyText, FormFields, PostButton, TextField } from "../../components/form.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Pages, Table } from "../../components/table.tsx";
import { ExactTime, Moment } from "../../components/time.tsx";
import {
  type ActionResult,
  addAction,
  addPage,
  addSimpleAction,
  type PageContent,
  refused,
} from "../../page.tsx";
import { type Form, path, type Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { SecurityFrame } from "./tabs.tsx";

type User = RowOf<"/api/users">;

function columnsOf(view: View): Column<User>[] {
  return [
    { label: "User", kind: "main", cell: ({ personal_info }) => personal_info.name },
    { label: "Email", cell: ({ personal_info }) => personal_info.email },
    {
      label: "Rights",
      cell: ({ account_settings }) =>
        account_settings.is_admin ? <Mark icon="security" tone="active" text="Administrator" /> : "User",
    },
    {
      label: "Since",
      cell: ({ timestamps }) => <Moment view={view} at={timestamps.account_created} />,
    },
    {
      label: "Action",
      kind: "action",
      cell: ({ id, personal_info: { name } }) => (
        <span class="buttons">
          <PostButton
            view={view}
            action={`/security/users/${id}/link`}
            label="Set-up link"
            about={`for ${name}`}
          />
          {id === view.user.id ? null : (
            <Confirm
              view={view}
              open="Delete"
              action={`/security/users/${id}/delete`}
              label={`Delete ${name}`}
            >
              <p>
                {name} is logged out, and the tokens of {name}{" "}
                stop working. The user stays in the trash for a while.
              </p>
            </Confirm>
          )}
        </span>
      ),
    },
  ];
}

interface UsersProps {
  readonly view: View;
  readonly list: ListPage<User>;
  readonly typed?: Form;
  readonly errors?: Readonly<Record<string, string>>;
}

function UsersPage({ view, list, typed, errors = {} }: UsersProps) {
  return (
    <SecurityFrame view={view} current="/security/users">
      <Table
        view={view}
        caption="Users"
        columns={columnsOf(view)}
        rows={list.rows}
        keyOf={(user) => user.id}
      />
      <Pages view={view} list={list} />
      <section class="section" aria-labelledby="add">
        <h2 id="add">Add a user</h2>
        <form class="form-wide" method="post" action={view.path("/security/users")}>
          <FormFields view={view} />
          <TextField name="name" label="Name" value={typed?.text("name")} error={errors.name} required />
          <TextField
            name="email"
            label="Email"
            type="email"
            value={typed?.text("email")}
            error={errors.email}
            required
          />
          <Checkbox
            name="is_admin"
            label="Administrator"
            hint="Manages users, keys and the installation itself."
            checked={typed?.has("is_admin")}
          />
          <p class="buttons">
            <button class="button" type="submit">Add, and make a set-up link</button>
          </p>
        </form>
      </section>
    </SecurityFrame>
  );
}

async function show(view: View, more: Pick<UsersProps, "typed" | "errors"> = {}): Promise<PageContent> {
  const list = await view.list("/api/users", { query: { per_page: 50, page: view.query("page") } });
  return {
    title: "Users",
    status: more.errors === undefined ? 200 : 422,
    content: <UsersPage view={view} list={list} {...more} />,
  };
}

/** Makes a set-up link and shows it. Only this response contains the link. */
async function linkPage(view: View, form: Form, id: string): Promise<ActionResult> {
  const answer = await view.call("POST", path`/api/users/${id}/setup-link`, {
    body: {},
    csrf: form.text("csrf_token"),
  });
  if (answer.status >= 300) return refused(view, form, answer);
  const { url, expires_at } = answer.body.data;
  return {
    title: "Set-up link",
    content: (
      <SecurityFrame view={view} current="/security/users">
        <p>
          Give this link to the user, by a way that nobody else reads. It sets a password once, until{" "}
          <ExactTime view={view} at={expires_at} />.
        </p>
        <CopyText text={url} label="Copy the link" />
        <p class="buttons">
          <a class="button quiet" href={view.path("/security/users")}>Back to the users</a>
        </p>
      </SecurityFrame>
    ),
  };
}

export function addUsersPage(site: Site): void {
  addPage(site, "/security/users", (view) => show(view));
  addAction(site, "/security/users", async (view, form) => {
    const answer = await view.call("POST", "/api/users", {
      body: { name: form.text("name"), email: form.text("email"), is_admin: form.has("is_admin") },
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 422) return await show(view, { typed: form, errors: answer.errors });
    if (answer.status >= 300) return refused(view, form, answer);
    return await linkPage(view, form, String(answer.body.data.id));
  });
  addAction(
    site,
    "/security/users/:id/link",
    (view, form, parameter) => linkPage(view, form, parameter("id")),
  );
  addSimpleAction(site, "/security/users/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/users/${parameter("id")}`,
    done: "The user is in the trash.",
  });
}
