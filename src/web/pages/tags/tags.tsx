/** The pages of tags: the list with a form for a new tag, and the form that changes one. */
import type { Schema } from "../../../client/types.ts";
import { Confirm, Elsewhere, FormFields, TextField } from "../../components/form.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { TagDot } from "../../components/tag.tsx";
import { addAction, addPage, addSimpleAction, type PageContent, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { type Form, path, type Site } from "../../site.ts";
import { type ListPage, PageError, type View } from "../../view.ts";

type Tag = Schema<"Tag">;

/** Content that a form shows again after the API has refused it. */
interface Typed {
  readonly values: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
}

const NOTHING: Typed = { values: { colour: "#2563eb" }, errors: {} };

function typedIn(form: Form, errors: Typed["errors"]): Typed {
  return { values: bodyOf(form), errors };
}

function bodyOf(form: Form): Record<string, string> {
  return Object.fromEntries(["label", "description", "colour"].map((name) => [name, form.text(name)]));
}

function TagFields({ values, errors }: Typed) {
  return (
    <>
      <TextField name="label" label="Name" value={values.label} error={errors.label} required />
      <TextField name="description" label="Notes" value={values.description} error={errors.description} />
      <TextField name="colour" label="Colour" type="color" value={values.colour} error={errors.colour} />
    </>
  );
}

function columnsOf(view: View): Column<Tag>[] {
  return [
    {
      label: "Tag",
      kind: "main",
      cell: ({ id, label, colour }) => (
        <>
          <TagDot colour={colour} />{" "}
          {view.may("manage-tags") ? <a href={view.path(`/tags/${id}`)}>{label}</a> : label}
        </>
      ),
    },
    { label: "Notes", cell: ({ description }) => <span class="clamp muted">{description}</span> },
    {
      label: "Used by",
      cell: ({ id, label }) => (
        <a href={view.path(`/tasks?tag_id=${id}`)} aria-label={`Its tasks: ${label}`}>Its tasks</a>
      ),
    },
  ];
}

async function tagsPage(view: View, typed?: Typed): Promise<PageContent> {
  const tags = await view.list("/api/tags", {
    query: { page: view.query("page"), per_page: 50, sort: "label" },
  });
  return {
    title: "Tags",
    status: typed === undefined ? 200 : 422,
    content: <TagList view={view} tags={tags} typed={typed ?? NOTHING} />,
  };
}

function TagList({ view, tags, typed }: { view: View; tags: ListPage<Tag>; typed: Typed }) {
  return (
    <>
      <PageHeading
        view={view}
        title="Tags"
        lead="Tags group tasks, such as those of one customer. Lists of tasks, runs and backups can be filtered by them."
        trail={[{ label: "Tasks", path: "/tasks" }]}
      />
      {view.may("manage-tags")
        ? (
          <form class="filters" method="post" action={view.path("/tags")}>
            <FormFields view={view} />
            <TagFields {...typed} />
            <button class="button" type="submit">Create the tag</button>
          </form>
        )
        : null}
      {tags.rows.length === 0 ? <Empty title="No tag yet." /> : (
        <Table
          view={view}
          caption="Tags"
          columns={columnsOf(view)}
          rows={tags.rows}
          keyOf={({ id }) => id}
        />
      )}
      <Pages view={view} list={tags} />
      {view.may("manage-tags")
        ? <Elsewhere cli="rearguard tags create --label nightly" api="POST /api/tags" />
        : null}
    </>
  );
}

function editPage(view: View, tag: Tag, typed?: Typed): PageContent {
  const { colour, description, label } = tag;
  const values = { label, description: description ?? "", colour: colour ?? "" };
  return {
    title: `Edit ${label}`,
    status: typed === undefined ? 200 : 422,
    content: (
      <>
        <PageHeading
          view={view}
          title={`Edit ${label}`}
          trail={[{ label: "Tasks", path: "/tasks" }, { label: "Tags", path: "/tags" }]}
        >
          <Confirm
            view={view}
            action={`/tags/${tag.id}/delete`}
            open="Delete…"
            label="Delete the tag"
            icon="trash"
          >
            Tasks that have the tag lose it. The tag can be brought back from the trash for a few days.
          </Confirm>
        </PageHeading>
        <form class="form-wide" method="post" action={view.path(`/tags/${tag.id}`)}>
          <FormFields view={view} />
          <TagFields values={typed?.values ?? values} errors={typed?.errors ?? {}} />
          <p class="buttons">
            <button class="button" type="submit">Save</button>
            <a class="button quiet" href={view.path("/tags")}>Cancel</a>
          </p>
        </form>
      </>
    ),
  };
}

export function addTagPages(site: Site): void {
  addPage(site, "/tags", (view) => tagsPage(view));
  addAction(site, "/tags", async (view, form) => {
    const answer = await view.call("POST", "/api/tags", {
      body: bodyOf(form),
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 422) return tagsPage(view, typedIn(form, answer.errors));
    if (answer.status !== 201) return refused(view, form, answer);
    return { goTo: "/tags", done: `The tag ${form.text("label")} is created.` };
  });
  addPage(
    site,
    "/tags/:id",
    async (view, parameter) => {
      if (!view.may("manage-tags")) throw new PageError(403, "Only managers can change tags.");
      return editPage(view, await view.get("/api/tags/{id}", { id: parameter("id") }));
    },
  );
  addAction(site, "/tags/:id", async (view, form, parameter) => {
    const id = parameter("id");
    const answer = await view.call("PUT", path`/api/tags/${id}`, {
      body: bodyOf(form),
      csrf: form.text("csrf_token"),
    });
    if (answer.status === 422) {
      return editPage(view, await view.get("/api/tags/{id}", { id }), typedIn(form, answer.errors));
    }
    if (answer.status !== 200) return refused(view, form, answer);
    return { goTo: "/tags", done: "The tag is saved." };
  });
  addSimpleAction(site, "/tags/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/tags/${parameter("id")}`,
    done: "The tag is deleted. It can be brought back from the trash for a few days.",
    goTo: () => "/tags",
  });
}
