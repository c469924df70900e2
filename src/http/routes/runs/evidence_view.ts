/** Defines the fields that say what a verification or drill has proven. */
import { z } from "@hono/zod-openapi";
import type { Evidence } from "../../../services/runs/evidence.ts";

export const EvidenceView = z.object({
  files_count: z.int().nullable().openapi({
    description: "Files and directories that were compared; null if there are none, or they are not counted.",
  }),
  databases: z.array(z.object({
    name: z.string(),
    tables_count: z.int(),
    rows_count: z.int().nullable().openapi({ description: "Compared rows; null: the backup has no counts." }),
  })).nullable().openapi({
    description: "Restored and compared databases; null of files or of an older agent.",
  }),
  objects_count: z.int().nullable().openapi({
    description: "Stored objects whose size and SHA-256 were compared; null of a drill or of an older agent.",
  }),
  is_opened: z.boolean().openapi({
    description: "False: the control plane has no key, so that only sizes and SHA-256 were compared.",
  }),
  read_bytes: z.int().openapi({ description: "Bytes that were read from the destination." }),
  restore_ms: z.int().nullable().openapi({ description: "The restore alone; null of a verification." }),
  duration_ms: z.int(),
}).openapi("Evidence");

export function presentEvidence({ databases, ...evidence }: Evidence): z.output<typeof EvidenceView> {
  return { ...evidence, databases: databases && [...databases] };
}

export const evidenceExample: Evidence = {
  files_count: null,
  databases: [{ name: "shop", tables_count: 12, rows_count: 48210 }],
  objects_count: null,
  is_opened: true,
  read_bytes: 31457280,
  restore_ms: 5200,
  duration_ms: 6100,
};
