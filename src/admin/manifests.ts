/**
 * Finds and parses manifests. They were written by `agent/engine/manifest/manifest.ts` of this version or an
 * older one.
 */
import { z } from "zod";
import { isOtherThanWritten } from "../../agent/engine/manifest/manifest_digest.ts";
import { REPORTED_FINDINGS } from "../protocol/guards.ts";
import { Missing, SourceDescription, StoredObject } from "../protocol/job.ts";
import type { BackupRepository } from "./backup_repository.ts";

const count = z.number().int().nonnegative();

export const Manifest = z.object({
  format: z.literal("rearguard-backup"),
  format_version: z.literal(1),
  task: z.object({ id: z.number().int(), label: z.string() }),
  hostname: z.string().min(1),
  source: SourceDescription,
  engine: z.string().min(1),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  warnings_count: count,
  incompressible_share: z.number().min(0).max(1).nullish(),
  suspicion: z.string().nullish(),
  findings: REPORTED_FINDINGS.findings,
  missing: z.array(Missing).optional(),
  unreadable_count: count.optional(),
  /**
   * How the archives are encrypted: `age, passphrase (scrypt)` or `age, recipients`; null if they are not
   * encrypted.
   */
  encryption: z.string().nullable(),
  recipients: z.array(z.string()).optional(),
  objects: z.array(StoredObject.extend({ bytes_read: count.optional(), files_count: count.nullish() })).min(
    1,
  ),
});
export type Manifest = z.infer<typeof Manifest>;

/** A parsed manifest, and where it was found. */
export interface FoundManifest {
  /** The manifest's directory below the repository's root; empty for the root itself. */
  readonly directory: string;
  readonly name: string;
  /** The exact text of the manifest's file. */
  readonly text: string;
  readonly manifest: Manifest;
  /** The names of objects that the manifest lists and that do not exist. */
  readonly missing: readonly string[];
}

const MANIFEST_SUFFIX = ".manifest.json";

/**
 * Returns every manifest below the repository's root, the newest backup first. Calls `skip` with the reason
 * for each manifest or directory that cannot be read.
 */
export async function findManifests(
  repository: BackupRepository,
  skip: (path: string, reason: string) => void,
): Promise<FoundManifest[]> {
  const found: FoundManifest[] = [];
  const paths = new Set(await Array.fromAsync(repository.paths(skip)));
  for (const path of paths) {
    if (!path.endsWith(MANIFEST_SUFFIX)) continue;
    const cut = path.lastIndexOf("/");
    const [directory, name] = [path.slice(0, Math.max(0, cut)), path.slice(cut + 1)];
    try {
      const text = await textOf(repository, path);
      const manifest = readManifest(text);
      const names = manifest.objects.map((object) => object.name);
      const missing = names.filter((each) => !paths.has(pathIn(directory, each)));
      found.push({ directory, name, text, manifest, missing });
    } catch (error) {
      skip(path, (error as Error).message);
    }
  }
  return found.sort((a, b) => Date.parse(b.manifest.finished_at) - Date.parse(a.manifest.finished_at));
}

/** Maximum size of a manifest, in bytes. A manifest of 10,000 databases has a few million bytes. */
const LARGEST = 32 * 2 ** 20;

/** Returns the text of a file. Throws if the file is larger than a manifest can be. */
async function textOf(repository: BackupRepository, path: string): Promise<string> {
  const reader = (await repository.read(path)).getReader();
  const chunks: Uint8Array[] = [];
  try {
    for (let size = 0;;) {
      const { done, value } = await reader.read();
      if (done) return await new Blob(chunks as BlobPart[]).text();
      size += value.length;
      if (size > LARGEST) throw new Error(`it is larger than ${LARGEST / 2 ** 20} MiB, which no manifest is`);
      chunks.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {}); // the file is read, or it is too large
  }
}

function readManifest(text: string): Manifest {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  if (isOtherThanWritten(text)) {
    throw new Error(
      "it is damaged: its text does not match its manifest_sha256. Restore it with stock tools",
    );
  }
  const result = Manifest.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`it is not a manifest of this version: ${issue!.path.join(".")}: ${issue!.message}`);
}

export function objectPath({ directory }: FoundManifest, name: string): string {
  return pathIn(directory, name);
}

function pathIn(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
