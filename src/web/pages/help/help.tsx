/** The pages `/help`: the documentation, with a search. They need no other host. */
import { raw } from "hono/html";
import { TextField } from "../../components/form.tsx";
import { Empty } from "../../components/table.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import { PageError, type View } from "../../view.ts";
import { type Document, Documents, type Found } from "./documents.ts";

function SearchForm({ view, text }: { view: View; text: string }) {
  return (
    <form class="filters" action={view.path("/help")} role="search">
      <TextField name="q" label="Search the help" type="search" value={text} />
      <button class="button quiet" type="submit">Search</button>
    </form>
  );
}

function Contents({ view, documents }: { view: View; documents: Documents }) {
  return (
    <div class="columns">
      {documents.groups().map(({ title, documents: pages }) => (
        <section key={title} class="section" aria-label={title}>
          <h2>{title}</h2>
          <ul class="lines">
            {pages.map((page) => (
              <li key={page.name}>
                <a class="line-main" href={view.path(`/help/${page.name}`)}>{page.title}</a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Results({ view, found, text }: { view: View; found: readonly Found[]; text: string }) {
  if (found.length === 0) return <Empty title={`The help has nothing about “${text}”.`} />;
  return (
    <ul class="lines">
      {found.map(({ name, anchor, title, page }) => (
        <li key={`${name}#${anchor}`}>
          <a class="line-main" href={view.path(`/help/${name}#${anchor}`)}>{title}</a>
          <span class="muted small">{page}</span>
        </li>
      ))}
    </ul>
  );
}

function DocumentPage({ view, document }: { view: View; document: Document }) {
  return (
    <>
      <nav class="trail" aria-label="Above this page">
        <a href={view.path("/help")}>Help</a>
        <span class="muted">{document.group}</span>
      </nav>
      <article class="prose">{raw(document.html)}</article>
    </>
  );
}

export function addHelpPages(site: Site): void {
  let read: Documents | null = null;
  const documentsOf = () => read ??= new Documents(site);
  addPage(site, "/help", (view) => {
    const documents = documentsOf();
    const text = view.query("q").trim().slice(0, 200);
    const content = text === ""
      ? <Contents view={view} documents={documents} />
      : <Results view={view} found={documents.search(text)} text={text} />;
    return {
      title: "Help",
      content: (
        <>
          <PageHeading view={view} title="Help" lead="The documentation of this version." />
          <SearchForm view={view} text={text} />
          {content}
        </>
      ),
    };
  });
  addPage(site, "/help/:name{.+}", (view, parameter) => {
    const document = documentsOf().find(parameter("name"));
    if (document === undefined) throw new PageError(404, "The help has no such page.");
    return { title: document.title, content: <DocumentPage view={view} document={document} /> };
  });
}
