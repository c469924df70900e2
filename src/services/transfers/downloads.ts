/** Signs URLs with which agents read objects in buckets, because agents have no access keys. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { objectKey } from "../../domain/location.ts";
import { isStorageType } from "../../storage/registry.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { findObjectOfRun } from "../../store/backups/backups.ts";
import { transaction } from "../../store/database/database.ts";
import type { ServiceContext } from "../context.ts";
import { authorizeRun } from "../runs/run_authorization.ts";
import { bucketOf } from "./uploads.ts";

const URL_SECONDS = 3600;

/**
 * Returns a presigned URL for GET requests to one object of the backup that a run reads. Whoever has the URL
 * can read the object, so it must be given only to the run's agent. Throws a `ConflictError` if the run has
 * ended. Throws a `NotFoundError` if the run belongs to another server, or if the object belongs to another
 * backup.
 */
export async function signDownload(
  services: ServiceContext,
  remoteServerId: number,
  input: { run_id: number; attempt: number; name: string },
): Promise<{ url: string; expires_in_ms: number }> {
  const { key, bucket } = await transaction(services.database, async (sql) => {
    await authorizeRun(sql, remoteServerId, input, "read a backup");
    const object = await findObjectOfRun(sql, input.run_id, input.name);
    if (object === undefined) throw new NotFoundError("Object");
    const destination = await findBackupDestination(sql, object.backup_destination_id);
    if (destination === undefined || !isStorageType(destination.type)) {
      throw new ConflictError(`Cannot sign ${input.name}: the backup's destination is not a bucket`);
    }
    return {
      key: objectKey(object.directory, input.name),
      bucket: bucketOf(destination, services),
    };
  });
  return { url: await bucket.signGet(key, URL_SECONDS), expires_in_ms: URL_SECONDS * 1000 };
}
