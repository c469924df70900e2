/**
 * Writes the manifest, a JSON file next to a backup's objects. It describes the objects and how to restore
 * them without Rearguard. A backup is complete once its manifest exists, so the manifest is written last. The
 * manifest is never encrypted and contains no secret.
 */
import { describeSuspicion } from "../../../src/domain/guards/finding.ts";
import {
  type BackupJob,
  type JobEncryption,
  jobEncryption,
  type Missing,
} from "../../../src/protocol/job.ts";
import type { ReportedFindings } from "../jobs/guards.ts";
import { withDigest } from "./manifest_digest.ts";
import type { ManifestContents } from "./manifest_contents.ts";
import type { PreparedSource } from "../sources/source.ts";
import type { StoredPart } from "./stored_part.ts";
import { COMPRESSION } from "../transforms/compress.ts";

/**
 * Version of the manifest's format. It must be increased with every change that an older reader would
 * misread.
 */
const MANIFEST_FORMAT_VERSION = 1;

const ENCRYPTIONS = { none: null, password: "age, passphrase (scrypt)", recipients: "age, recipients" };

export interface ManifestInput {
  job: BackupJob;
  source: PreparedSource;
  parts: StoredPart[];
  missing: readonly Missing[];
  /** Number of files that could not be read. */
  unreadable: number;
  assessed: Pick<ReportedFindings, "findings"> & { incompressible_share: number | null };
  contents: ManifestContents;
  hostname: string;
  startedAt: Date;
  finishedAt: Date;
  warningsCount: number;
}

/**
 * Returns the manifest as indented UTF-8 JSON with keys in a fixed order. The first key is the digest of the
 * rest. Times are ISO 8601 in UTC. Sizes are the sizes of the stored objects in bytes.
 */
export function manifest(input: ManifestInput): Uint8Array {
  const { job, source, parts } = input;
  const encryption = jobEncryption(job);
  const document = {
    format: "rearguard-backup",
    format_version: MANIFEST_FORMAT_VERSION,
    task: job.task,
    hostname: input.hostname,
    source: source.description,
    engine: source.engine,
    started_at: input.startedAt.toISOString(),
    finished_at: input.finishedAt.toISOString(),
    warnings_count: input.warningsCount,
    ...input.missing.length === 0 && input.unreadable === 0 ? {} : { incomplete: true },
    ...input.missing.length === 0 ? {} : { missing: input.missing },
    ...input.unreadable === 0 ? {} : { unreadable_count: input.unreadable },
    incompressible_share: input.assessed.incompressible_share,
    suspicion: describeSuspicion(input.assessed.findings),
    ...input.assessed.findings.length === 0 ? {} : { findings: input.assessed.findings },
    compression: COMPRESSION,
    encryption: ENCRYPTIONS[encryption.type],
    ...encryption.type === "recipients" ? { recipients: encryption.recipients } : {},
    tools: source.tools,
    objects: parts.flatMap((part) => describeObjects(part, input.contents)),
    ...input.contents.sealed === null ? {} : { sealed_contents: input.contents.sealed },
    restore: parts.map(({ part, archive }) => `${unpackCommand(archive.name, encryption)} | ${part.restore}`),
  };
  return new TextEncoder().encode(withDigest(`${JSON.stringify(document, null, 2)}\n`));
}

function describeObjects({ archive, index, bytesRead, filesCount }: StoredPart, { open }: ManifestContents) {
  const described = {
    ...archive,
    bytes_read: bytesRead,
    files_count: filesCount,
    ...open.get(archive.name),
  };
  return index === null ? [described] : [described, index];
}

/** Returns the shell command that unpacks an archive. The user replaces `KEY_FILE` in the command. */
function unpackCommand(name: string, encryption: JobEncryption): string {
  switch (encryption.type) {
    case "none":
      return `zstd -dc ${shellQuote(name)}`;
    case "password":
      return `age --decrypt ${shellQuote(name)} | zstd -d`;
    case "recipients":
      return `age --decrypt -i KEY_FILE ${shellQuote(name)} | zstd -d`;
  }
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
