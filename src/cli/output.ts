/** Prints results: the API's own JSON for programs, tables for people. */
import Table from "cli-table3";
import type { List } from "./api.ts";
import { type Terminal, visible } from "./terminal.ts";

export interface Column<T> {
  readonly title: string;
  readonly align?: "right";
  value(record: T): string | number | null;
}

export class Output {
  constructor(readonly isJson: boolean, readonly terminal: Terminal) {}

  /** With `--json`, prints only the document. Without `--json`, calls `show`. */
  answer(document: unknown, show: () => void): void {
    if (!this.isJson) return show();
    this.terminal.write(`${JSON.stringify(document, null, 2)}\n`);
  }

  list<T>(list: List<T>, columns: readonly Column<T>[]): void {
    this.answer(list, () => this.rows(list.data, columns));
  }

  /**
   * Prints the fields of a record. Leaves out empty fields, and the fields in `omit`. The name of a nested
   * field includes the name of its object: `Schedule time`.
   */
  record(body: { data: object }, omit: readonly string[] = []): void {
    this.answer(body, () => this.fields(body.data, omit));
  }

  fields(record: object, omit: readonly string[] = []): void {
    const table = plainTable();
    for (const [name, value] of fieldsOf(record)) {
      if (!omit.includes(name)) table.push([this.terminal.paint("dim", words(name)), cell(value)]);
    }
    this.#write(table);
  }

  rows<T>(records: readonly T[], columns: readonly Column<T>[]): void {
    if (records.length === 0) return this.terminal.write("None.\n");
    const table = plainTable(columns.map(({ align }) => align ?? "left"));
    table.push(columns.map(({ title }) => this.terminal.paint("bold", title)));
    for (const record of records) {
      table.push(columns.map(({ title, value }) => {
        const text = cell(value(record) ?? "");
        return title === "Status" ? this.#state(text) : text;
      }));
    }
    this.#write(table);
  }

  #state(text: string): string {
    if (/^(failed|disconnected|damaged|late|never_backed_up|failing)$/.test(text)) {
      return this.terminal.paint("red", text);
    }
    if (/^(successful|connected)$/.test(text)) return this.terminal.paint("green", text);
    if (/^(cancelled|queued|running|paused|deleting)$/.test(text)) return this.terminal.paint("yellow", text);
    return text;
  }

  #write(table: Table.Table): void {
    this.terminal.write(`${table.toString().replaceAll(/ +$/gm, "")}\n`);
  }
}

function plainTable(colAligns: ("left" | "right")[] = []): Table.Table {
  const none = [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
  ];
  const lines = [...none, "left", "left-mid", "mid", "mid-mid", "right", "right-mid"];
  return new Table({
    chars: { ...Object.fromEntries(lines.map((name) => [name, ""])), middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns,
  });
}

/** Formats a value as one line. For a list of records, returns a line for each record. */
function cell(value: unknown): string {
  if (!Array.isArray(value)) return item(value);
  return value.map(item).join(value.some((each) => typeof each === "object") ? "\n" : ", ");
}

function item(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object" || value === null) {
    return visible(String(value)).replaceAll(/[\n\t]/g, "\ufffd");
  }
  return Object.values(value).filter((part) => part !== null).map(item).join("  ");
}

function* fieldsOf(record: object, prefix = ""): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(record)) {
    const isEmpty = value === null || value === "" || Array.isArray(value) && value.length === 0;
    if (isEmpty) continue;
    if (typeof value === "object" && !Array.isArray(value)) yield* fieldsOf(value, `${prefix}${name} `);
    else yield [`${prefix}${name}`, value];
  }
}

function words(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
