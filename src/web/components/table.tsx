/** Tables of records: headings that sort, pages, and a text in place of an empty table. */
import type { Child } from "hono/jsx";
import type { ListPage, View } from "../view.ts";
import { Icon } from "./icon.tsx";
import { count } from "./number.tsx";

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => Child;
  /** Content of the heading, in place of the label. */
  readonly heading?: Child;
  /** The API's name for sorting by this column; absent if the API cannot sort by it. */
  readonly sort?: string;
  /** `number` aligns to the right. `main` names the record. `wide` is left out on narrow screens. */
  readonly kind?: "number" | "main" | "wide" | "action";
  /** A CSS class of the column's cells, for the style sheet of one area of the dashboard. */
  readonly class?: string;
}

interface TableProps<Row> {
  readonly view: View;
  /** Description of the table, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  /** Marks a row that needs attention, or that is no longer of interest. */
  readonly toneOf?: (row: Row) => "bad" | "warn" | "quiet" | undefined;
  /** A class of the table, for style sheets of one area. */
  readonly class?: string;
}

/** A table. If there are no rows, show an {@link Empty} instead. On phones, each row becomes a block. */
export function Table<Row>(
  { view, caption, columns, rows, keyOf, toneOf, class: className }: TableProps<Row>,
) {
  return (
    <div class="scroll" tabindex={0} role="group" aria-label={caption}>
      <table class={classes("table", className)}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>{columns.map((column) => <Heading key={column.label} view={view} column={column} />)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} id={`row-${keyOf(row)}`} class={toneOf?.(row)}>
              {columns.map((column) => <Cell key={column.label} column={column} row={row} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classes(...names: readonly (string | undefined)[]): string | undefined {
  const given = names.filter((name) => name !== undefined);
  return given.length === 0 ? undefined : given.join(" ");
}

function Cell<Row>({ column: { cell, kind, label, ...column }, row }: { column: Column<Row>; row: Row }) {
  const className = classes(kind, column.class);
  return kind === "main"
    ? <th scope="row" class={className}>{cell(row)}</th>
    : <td class={className} data-label={label}>{cell(row)}</td>;
}

function Heading<Row>({ view, column }: { view: View; column: Column<Row> }) {
  const { heading, label, sort, kind } = column;
  const className = classes(kind, column.class);
  if (sort === undefined) {
    return (
      <th scope="col" class={className}>
        {heading ?? (kind === "action" ? <span class="hidden">{label}</span> : label)}
      </th>
    );
  }
  const now = view.query("sort");
  const isUp = now === sort;
  const isDown = now === `-${sort}`;
  const next = isDown ? sort : `-${sort}`;
  return (
    <th scope="col" class={className} aria-sort={isUp ? "ascending" : isDown ? "descending" : undefined}>
      <a href={view.with({ sort: next, page: null })}>
        {label}
        {isUp ? <Icon name="up" /> : isDown ? <Icon name="down" /> : null}
      </a>
    </th>
  );
}

/** Links to the previous and the next page of a list. Shows nothing if the list has only one page. */
export function Pages({ view, list }: { view: View; list: ListPage<unknown> }) {
  if (list.pages <= 1) return null;
  const step = (page: number, rel: "prev" | "next", text: string) =>
    page < 1 || page > list.pages
      ? <span class="button quiet" aria-disabled="true">{text}</span>
      : <a class="button quiet" rel={rel} href={view.with({ page })}>{text}</a>;
  return (
    <nav class="pages" aria-label="Pages">
      {step(list.page - 1, "prev", "Previous")}
      <span class="muted number">
        Page {count(list.page)} of {count(list.pages)} · {count(list.total)} in all
      </span>
      {step(list.page + 1, "next", "Next")}
    </nav>
  );
}

/** Shown in place of a list that has no records. `children` say what a person can do about it. */
export function Empty({ title, children }: { title: string; children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
