/** The page `/security/tokens`: the user's tokens for the API, the CLI and scripts. */
import { ABILITIES } from "../../../domain/abilities.ts";
import type { RowOf } from "../../../client/client.ts";
import {
  Checkbox,
  Confirm,
  CopyText,
  Elsewhere,
  FormFields,
  Select,
  TextField,
} from "../../components/form.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Ago, Moment } from "../../components/time.tsx";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { type Form, path, type Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { SecurityFrame } from "./tabs.tsx";

type Token = RowOf<"/api/tokens">;

const DAY = 86_400_000;

/** How long a new token works, in days. */
const LIFETIMES = [
  { value: 30, label: "30 days" },
  { value: 90, label: "90 days" },
  { value: 365, label: "a year" },
  { value: "", label: "for ever" },
];

function columnsOf(view: View): Column<Token>[] {
  return [
    { label: "Token", kind: "main", cell: ({ name }) => name },
    { label: "Allows", cell: ({ abilities }) => <span class="clamp">{abilities.join(", ")}</span> },
    { label: "Last used", kind: "number", cell: ({ last_used_at }) => <Ago view={view} at={last_used_at} /> },
    {
      label: "Ends",
      kind: "number",
      cell: ({ expires_at }) => <Moment view={view} at={expires_at} none="never" />,
    },
    {
      label: "Action",
      kind: "action",
      cell: ({ id, name }) => (
        <Confirm view={view} open="Revoke" action={`/security/tokens/${id}/revoke`} label={`Revoke ${name}`}>
          <p>Whoever uses {name} is refused from now on. A new token cannot replace it by itself.</p>
        </Confirm>
      ),
    },
  ];
}

interface TokensProps {
  readonly view: View;
  readonly list: ListPage<Token>;
  readonly typed?: Form;
  readonly errors?: Readonly<Record<string, string>>;
}

function TokensPage({ view, list, typed, errors = {} }: TokensProps) {
  const chosen = typed?.list("abilities") ?? [];
  const error = errors.abilities ??
    Object.entries(errors).find(([name]) => name.startsWith("abilities."))?.[1];
  return (
    <SecurityFrame view={view} current="/security/tokens">
      {list.rows.length === 0
        ? <Empty title="You have no token.">A token lets a script or the CLI use the API in your name.</Empty>
        : (
          <Table
            view={view}
            caption="Tokens"
            columns={columnsOf(view)}
            rows={list.rows}
            keyOf={(token) => token.id}
          />
        )}
      <Pages view={view} list={list} />
      <section class="section" aria-labelledby="add">
        <h2 id="add">Make a token</h2>
        <form class="form-wide" method="post" action={view.path("/security/tokens")}>
          <FormFields view={view} />
          <TextField
            name="name"
            label="Name"
            value={typed?.text("name")}
            error={errors.name}
            hint="What uses it, such as the name of a script."
            required
          />
          <Select
            name="days"
            label="It works"
            value={typed?.text("days") ?? "90"}
            choices={LIFETIMES}
            error={errors.expires_at}
          />
          <fieldset>
            <legend>It allows</legend>
            {error === undefined ? null : <p class="error">{error}</p>}
            <div class="abilities">
              {ABILITIES.filter((ability) => view.may(ability)).map((ability) => (
                <Checkbox
                  key={ability}
                  name="abilities[]"
                  value={ability}
                  label={ability}
                  checked={chosen.includes(ability)}
                />
              ))}
            </div>
          </fieldset>
          <p class="buttons">
            <button class="button" type="submit">Make the token</button>
          </p>
        </form>
      </section>
      <Elsewhere
        cli="rearguard tokens create --name report --ability view-backup-tasks"
        api="POST /api/tokens"
      />
    </SecurityFrame>
  );
}

async function show(view: View, more: Pick<TokensProps, "typed" | "errors"> = {}): Promise<PageContent> {
  const list = await view.list("/api/tokens", { query: { per_page: 50, page: view.query("page") } });
  return {
    title: "API tokens",
    status: more.errors === undefined ? 200 : 422,
    content: <TokensPage view={view} list={list} {...more} />,
  };
}

export function addTokensPage(site: Site): void {
  addPage(site, "/security/tokens", (view) => show(view));
  addAction(site, "/security/tokens", async (view, form) => {
    const days = Number(form.text("days"));
    const body = {
      name: form.text("name"),
      abilities: form.list("abilities"),
      expires_at: days > 0 ? new Date(view.now.getTime() + days * DAY).toISOString() : null,
    };
    const answer = await view.call("POST", "/api/tokens", { body, csrf: form.text("csrf_token") });
    if (answer.status === 422) return await show(view, { typed: form, errors: answer.errors });
    if (answer.status !== 201) return refused(view, form, answer);
    return {
      title: "Your new token",
      content: (
        <SecurityFrame view={view} current="/security/tokens">
          <p>Copy the token now: it is not shown again.</p>
          <CopyText text={answer.body.data.token} label="Copy the token" />
          <p class="buttons">
            <a class="button quiet" href={view.path("/security/tokens")}>I have it</a>
          </p>
        </SecurityFrame>
      ),
    };
  });
  addSimpleAction(site, "/security/tokens/:id/revoke", {
    method: "DELETE",
    to: (parameter) => path`/api/tokens/${parameter("id")}`,
    done: "The token is revoked.",
  });
}
