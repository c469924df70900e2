/** Opens a repository for `recover`: a directory on this machine, or the location that a URL names. */
import { resolve } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { openLocalRepository } from "./local_repository.ts";
import { RecoveryError } from "./recovery_error.ts";
import { openS3Repository } from "./s3_repository.ts";
import { openSftpRepository } from "./sftp_repository.ts";
import { openWebdavRepository } from "./webdav_repository.ts";

type Open = (
  text: string,
  environment: Record<string, string>,
  clock: Clock,
) => BackupRepository | Promise<BackupRepository>;

/** Functions that open a repository, by the scheme of its URL. */
const SCHEMES: Readonly<Record<string, Open>> = {
  s3: openS3Repository,
  sftp: openSftpRepository,
  webdav: openWebdavRepository,
  webdavs: openWebdavRepository,
};

/**
 * Opens a repository. Keys and passwords come from the environment, never from an argument.
 *
 * @param text A directory, or a URL with one of the schemes above.
 */
export async function openRepository(
  text: string,
  environment: Record<string, string>,
  clock: Clock,
): Promise<BackupRepository> {
  const scheme = /^([a-z0-9]+):\/\/[^/]/.exec(text)?.[1];
  if (scheme === undefined) return openLocalRepository(resolve(text));
  if (Object.hasOwn(SCHEMES, scheme)) return await SCHEMES[scheme]!(text, environment, clock);
  const schemes = Object.keys(SCHEMES).map((each) => `${each}://`).join(" and ");
  throw new RecoveryError(
    `Cannot recover from ${scheme}://…: only directories, ${schemes} are read. Copy the files here, and name their directory.`,
  );
}
