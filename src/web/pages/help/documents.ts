/** The documentation: the files of `docs/` and the README, as HTML. */
import createMarkdown, { type MarkdownIt } from "markdown-it";
import MiniSearch from "minisearch";
import type { Site } from "../../site.ts";
import { anchorOf } from "./anchor.ts";

export interface Document {
  /** Path within the project, such as `docs/guide/tasks.md`. */
  readonly file: string;
  /** The page's path behind `/help/`, such as `guide/tasks`. */
  readonly name: string;
  readonly title: string;
  readonly group: string;
  readonly html: string;
}

interface Section {
  readonly id: string;
  readonly name: string;
  readonly anchor: string;
  readonly title: string;
  readonly page: string;
  readonly text: string;
}

export interface Found {
  readonly name: string;
  readonly anchor: string;
  readonly title: string;
  readonly page: string;
}

/** The folders of `docs/`, in the order in which people need them. */
const GROUPS: readonly { readonly folder: string; readonly title: string }[] = [
  { folder: "recover", title: "When something is lost" },
  { folder: "guide", title: "Using it" },
  { folder: "operate", title: "Running it" },
  { folder: "develop", title: "Changing it" },
];

/** Pages that come first in their groups. */
const FIRST = ["recover/lost-control-plane", "readme", "operate/install"];

const PROJECT = new URL("../../../../", import.meta.url);

/** Maximum number of sections that a search returns. */
const MAX_FOUND = 20;

export class Documents {
  readonly #byName: ReadonlyMap<string, Document>;
  readonly #index = new MiniSearch<Section>({
    fields: ["title", "page", "text"],
    storeFields: ["name", "anchor", "title", "page"],
    searchOptions: { boost: { title: 4, page: 2 }, prefix: true, fuzzy: 0.1, combineWith: "AND" },
  });

  /** Reads all documents. */
  constructor(site: Site) {
    const documents = GROUPS.flatMap(({ folder, title }) =>
      documentsIn(`docs/${folder}/`).map((file) => this.#read(file, title, site))
    );
    documents.push(this.#read("README.md", GROUPS[1]!.title, site));
    const rank = ({ name }: Document) => FIRST.includes(name) ? 0 : 1;
    const sorted = documents.sort((a, b) => rank(a) - rank(b) || a.title.localeCompare(b.title));
    this.#byName = new Map(sorted.map((document) => [document.name, document]));
  }

  find(name: string): Document | undefined {
    return this.#byName.get(name);
  }

  groups(): { title: string; documents: Document[] }[] {
    const all = [...this.#byName.values()];
    return GROUPS.map(({ title }) => ({ title, documents: all.filter(({ group }) => group === title) }));
  }

  search(text: string): Found[] {
    return this.#index.search(text).slice(0, MAX_FOUND).map(({ name, anchor, title, page }) => ({
      name,
      anchor,
      title,
      page,
    }));
  }

  #read(file: string, group: string, site: Site): Document {
    const text = Deno.readTextFileSync(new URL(file, PROJECT));
    const name = nameOf(file)!;
    const title = /^# (.+)$/m.exec(text)?.[1] ?? name;
    const html = rendererFor(file, site).render(text);
    this.#index.addAll(sectionsOf(name, title, text));
    return { file, name, title, group, html };
  }
}

/** Returns the documents in a folder of the project, and in all folders inside that folder. */
function documentsIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, PROJECT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? documentsIn(`${folder}${name}/`) : name.endsWith(".md") ? [`${folder}${name}`] : []
  );
}

/**
 * Returns a renderer for a document. The renderer shows HTML in the document as text. Links to other
 * documents lead to pages of the help. Only pictures of `docs/images` are shown. In place of any other
 * picture, the renderer shows its description.
 */
function rendererFor(file: string, site: Site): MarkdownIt {
  const markdown = createMarkdown({ html: false, linkify: false });
  const { rules } = markdown.renderer;
  const escape = markdown.utils.escapeHtml;
  rules.heading_open = (tokens, index) => {
    const token = tokens[index]!;
    return `<${token.tag} id="${anchorOf(tokens[index + 1]!.content)}">`;
  };
  rules.link_open = (tokens, index, options, _env, self) => {
    const token = tokens[index]!;
    token.attrSet("href", addressOf(String(token.attrGet("href") ?? ""), file, site.base));
    return self.renderToken(tokens, index, options);
  };
  rules.image = (tokens, index, options, env, self) => {
    const token = tokens[index]!;
    const description = self.renderInlineAsText(token.children ?? [], options, env);
    const address = pictureOf(String(token.attrGet("src") ?? ""), file, site);
    if (address === null) return escape(description);
    return `<img src="${escape(address)}" alt="${escape(description)}" loading="lazy">`;
  };
  rules.fence = (tokens, index) => `<pre tabindex="0"><code>${escape(tokens[index]!.content)}</code></pre>`;
  rules.table_open = () => `<div class="scroll" tabindex="0"><table class="table">`;
  rules.table_close = () => "</table></div>";
  return markdown;
}

/**
 * Returns the address for a link in a document. Web addresses, mail addresses and anchors are not changed. A
 * link to another document becomes a link to that document's page of the help. If the help has no such page,
 * the link leads to the help itself.
 */
function addressOf(link: string, file: string, base: string): string {
  if (/^(https?:|mailto:|#)/.test(link)) return link;
  const { pathname, hash } = new URL(link, `file:///${file}`);
  const name = nameOf(pathname.slice(1));
  return name === undefined ? `${base}/help` : `${base}/help/${name}${hash}`;
}

/** Returns the address of a picture that a document shows; null if it is not in `docs/images`. */
function pictureOf(link: string, file: string, site: Site): string | null {
  const { href } = new URL(link, `file:///${file}`);
  const name = /^file:\/\/\/docs\/images\/([^/]+)$/.exec(href)?.[1];
  return name === undefined ? null : site.picture(name);
}

/** Returns the name of a document's page; undefined if the file is no document. */
function nameOf(file: string): string | undefined {
  return file === "README.md" ? "readme" : /^docs\/(.+)\.md$/.exec(file)?.[1];
}

/** Splits a document at its headings. */
function sectionsOf(name: string, page: string, text: string): Section[] {
  return text.split(/^(?=#{1,3} )/m).filter((part) => part.startsWith("#")).map((part, index) => {
    const [heading = "", ...lines] = part.split("\n");
    const title = heading.replace(/^#+ /, "");
    return { id: `${name} ${index}`, name, anchor: anchorOf(title), title, page, text: lines.join("\n") };
  });
}
