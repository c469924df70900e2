/** Opens a repository for `recover`. It is a local directory, or a bucket or destination with a URL. */
import { resolve } from "node:path";
import type { Clock } from "../domain/clock.ts";
import { AGENT_SCHEMES, openAgentRepository } from "./agent_repository.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { openLocalRepository } from "./local_repository.ts";
import { RecoveryError } from "./recovery_error.ts";
import { BUCKET_SCHEME, openS3Repository } from "./s3_repository.ts";

/**
 * Opens the repository at an address. Keys and passwords come from the environment, never from an argument.
 *
 * @param text A directory, the URL of a bucket, or the URL of a destination with a login, such as an SFTP
 * server.
 */
export async function openRepository(
  text: string,
  environment: Record<string, string>,
  clock: Clock,
): Promise<BackupRepository> {
  const scheme = /^([a-z0-9]+):\/\/[^/]/.exec(text)?.[1];
  if (scheme === undefined) return openLocalRepository(resolve(text));
  if (scheme === BUCKET_SCHEME) return openS3Repository(text, environment);
  const type = AGENT_SCHEMES.get(scheme);
  if (type !== undefined) return await openAgentRepository(type, text, environment, clock);
  const schemes = [BUCKET_SCHEME, ...AGENT_SCHEMES.keys()].map((each) => `${each}://`).join(" and ");
  throw new RecoveryError(
    `Cannot recover from ${scheme}://…: only directories, ${schemes} are read. Copy the files here, and name their directory.`,
  );
}
