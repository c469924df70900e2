/** Converts manifests to backup records. */
import { createHash } from "node:crypto";
import { findingsOfSuspicion } from "../domain/guards/finding.ts";
import type { FoundBackup } from "../services/backups/import.ts";
import { type FoundManifest, objectPath } from "./manifests.ts";
import type { Passwords } from "./passwords.ts";
import type { BackupRepository } from "./backup_repository.ts";

/**
 * Returns the backups that can be restored, in the order of `found`. Prompts for the passwords of encrypted
 * backups. If no password opens a backup, its password is null.
 *
 * @param directoryOf Returns the directory in which a control plane looks for a backup.
 * @param leaveOut Called with the reason for each manifest that yields no backup.
 */
export async function foundBackups(
  repository: BackupRepository,
  found: readonly FoundManifest[],
  passwords: Passwords,
  leaveOut: (name: string, reason: string) => void,
  directoryOf = (each: FoundManifest) => repository.directory(each.directory),
): Promise<FoundBackup[]> {
  const backups: FoundBackup[] = [];
  for (const each of found) {
    const archives = each.manifest.objects.filter(({ role }) => role === "archive");
    if (archives.length === 0) leaveOut(each.name, "it names no archive");
    else if (each.missing.length > 0) leaveOut(each.name, `${each.missing.join(", ")} is not there`);
    else {
      try {
        backups.push(await foundBackup(repository, each, passwords, directoryOf(each)));
      } catch (error) {
        leaveOut(each.name, (error as Error).message);
      }
    }
  }
  return backups;
}

async function foundBackup(
  repository: BackupRepository,
  found: FoundManifest,
  passwords: Passwords,
  directory: string,
): Promise<FoundBackup> {
  const { manifest, name, text } = found;
  const archives = manifest.objects.filter(({ role }) => role === "archive");
  const first = archives[0]!;
  const encryption = encryptionOf(found);
  const open = () => repository.read(objectPath(found, first.name));
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const counts = archives.map(({ files_count }) => files_count ?? null);
  const createdAt = new Date(manifest.finished_at);
  const findings = manifest.findings ?? findingsOfSuspicion(manifest.suspicion ?? null);
  return {
    task: manifest.task,
    hostname: manifest.hostname,
    password: encryption === "password" ? await passwords.find(first.name, open) : null,
    record: {
      directory,
      file_name: first.name,
      size: sum(archives.map(({ size }) => size)),
      sha256: first.sha256,
      engine: manifest.engine,
      encrypted: encryption !== "none",
      encryption,
      encryption_recipients: manifest.recipients ?? [],
      bytes_read: sum(archives.map(({ bytes_read }) => bytes_read ?? 0)),
      files_count: counts.includes(null) ? null : sum(counts.map(Number)),
      warnings_count: manifest.warnings_count,
      duration_ms: createdAt.getTime() - Date.parse(manifest.started_at),
      source: manifest.source,
      incompressible_share: manifest.incompressible_share ?? null,
      findings,
      missing: manifest.missing ?? [],
      unreadable_count: manifest.unreadable_count ?? 0,
      created_at: createdAt,
    },
    objects: [
      ...manifest.objects.map(({ role, name, size, sha256, database }) => ({
        role,
        name,
        size,
        sha256,
        database,
      })),
      { role: "manifest", name, ...digestOf(text), database: null },
    ],
  };
}

function encryptionOf({ manifest }: FoundManifest): "none" | "password" | "recipients" {
  if (manifest.encryption === null) return "none";
  return manifest.recipients === undefined ? "password" : "recipients";
}

export function digestOf(text: string): { size: number; sha256: string } {
  const bytes = new TextEncoder().encode(text);
  return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
