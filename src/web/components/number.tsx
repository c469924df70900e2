/** Numbers that line up in columns. */
import { formatBytes } from "../../domain/byte_size.ts";

interface NumberProps {
  /** Null or absent if it is unknown. */
  readonly value: number | null | undefined;
  /** Shown in place of an unknown number. */
  readonly none?: string;
}

/** A size in bytes, such as `1.5 GB`. The number of bytes is its tooltip. */
export function Bytes({ value, none = "–" }: NumberProps) {
  if (value === null || value === undefined) return <span class="muted">{none}</span>;
  return <span class="number" title={`${count(value)} bytes`}>{formatBytes(value)}</span>;
}

/** A count, with a separator between thousands. */
export function Count({ value, none = "–" }: NumberProps) {
  if (value === null || value === undefined) return <span class="muted">{none}</span>;
  return <span class="number">{count(value)}</span>;
}

/** Formats a count, such as `12,345`. */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}

/** Formats a count with its noun, such as `1 task` or `2 tasks`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Formats a share between 0 and 1, such as `12 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
