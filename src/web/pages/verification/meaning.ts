/** Says what a verification or drill shows, and what it cannot show. */
import { definitionOfEngine } from "../../../definitions/sources/registry.ts";
import { hasEnded, type Run } from "../../components/run.tsx";

/** Says what the state of a check means, in a sentence. */
export function meaningOf({ kind, status, ...run }: Run): string {
  if (!hasEnded({ kind, status, ...run })) {
    return kind === "drill"
      ? "The backup is being restored on trial. The copy is removed afterwards."
      : "The backup is being read back.";
  }
  if (status === "cancelled") return "A person cancelled it. It says nothing about the backup.";
  if (status === "failed") return "It failed. Its log says why.";
  return kind === "drill"
    ? "The backup was restored to a temporary place, it matched its record, and the copy was removed."
    : "The whole backup was read back, and it matched its record.";
}

/** Returns what a successful check cannot show, in sentences. `engine` is null if the backup is deleted. */
export function limitsOf({ kind, evidence }: Run, engine: string | null): string[] {
  if (evidence === null) return [];
  const sealed = evidence.is_opened ? [] : [
    "The backup is encrypted to recipients, and the control plane has no key: only sizes and SHA-256 were compared.",
  ];
  if (kind === "verify") {
    return [...sealed, "That a server accepts what is in the backup: only a drill restores it."];
  }
  const uncounted = (evidence.databases ?? []).some(({ rows_count }) => rows_count === null)
    ? ["The rows of some databases: their backup has no counts, so the drill shows that all of it loads."]
    : [];
  const isFiles = evidence.databases === null &&
    (engine === null ? evidence.files_count !== null : definitionOfEngine(engine).isListed === true);
  if (isFiles) {
    return [
      "The content of the files byte by byte: names, types and sizes were compared. A verification " +
      "compares the SHA-256 of what is stored.",
    ];
  }
  return [
    ...uncounted,
    "The values in the tables: rows were counted, and objects were compared by name.",
    "The text of definitions and the positions of sequences. The log lists what was left out.",
  ];
}
