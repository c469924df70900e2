/**
 * Uploads of agents to buckets. Agents have no access keys, so they request each step from the control plane.
 * Every upload is recorded before it is created in the bucket. After a crash, the upload can thus be found
 * and removed.
 */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { objectKey } from "../../domain/location.ts";
import { MAX_PARTS, partCount, partSize } from "../../domain/upload_parts.ts";
import { isStorageType, openStorage } from "../../storage/registry.ts";
import { type Bucket, StorageError, type UploadedPart } from "../../storage/s3.ts";
import {
  type BackupDestinationRow,
  findBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  findUpload,
  hasLaterUpload,
  insertUpload,
  lockUploadRun,
  markUploadCompleted,
  markUploadRemoved,
  storeUploadId,
  type UploadRow,
  type UploadRun,
} from "../../store/backups/uploads.ts";
import type { ServiceContext } from "../context.ts";
import { openedSecrets } from "../jobs/jobs.ts";
import { authorizeRun } from "../runs/run_authorization.ts";

const URL_SECONDS = 3600;

/**
 * Returns a client for a destination's bucket. Throws a `SecretError` if the access keys can't be decrypted.
 */
export function bucketOf(
  row: Pick<BackupDestinationRow, "type" | "settings" | "secrets">,
  { keyring, network }: Pick<ServiceContext, "keyring" | "network">,
): Bucket {
  const { type } = row;
  if (!isStorageType(type)) throw new Error(`Cannot open a destination of type ${type} as a bucket`);
  return openStorage({ type, settings: row.settings }, openedSecrets(row.secrets, keyring), network);
}

/**
 * Starts the upload of one object of a run. Throws a `ConflictError` if the run has ended. Throws a
 * `NotFoundError` if the run belongs to another server. Throws a `StorageError` if the bucket fails. The
 * functions below throw the same errors. They also throw a `ConflictError` if the upload has ended.
 *
 * @param input `name` contains no directory. `size_hint` is the object's size in the last backup, in bytes.
 */
export async function openUpload(
  services: ServiceContext,
  remoteServerId: number,
  input: { run_id: number; attempt: number; name: string; size_hint: number | null },
): Promise<{ upload_id: string; part_size: number }> {
  const { clock, database } = services;
  const { row, destination } = await transaction(database, async (sql) => {
    const run = await authorizeRun(sql, remoteServerId, input, "upload");
    refuseForeignName(input.name, run);
    const bytesInPart = choosePartSize(input.name, input.size_hint, run);
    const destination = await findBackupDestination(sql, run.backup_destination_id ?? 0);
    if (destination === undefined || run.object_directory === null || !isStorageType(destination.type)) {
      throw new ConflictError(`Cannot upload ${input.name}: the run's destination is not a bucket`);
    }
    const row = await insertUpload(sql, {
      run_id: input.run_id,
      attempt: input.attempt,
      backup_destination_id: destination.id,
      object_key: objectKey(run.object_directory, input.name),
      part_size: bytesInPart,
    }, clock.now());
    return { row, destination };
  });
  const bucket = bucketOf(destination, services);
  if (await bucket.head(row.object_key) !== null) {
    await markUploadRemoved(database, row.id, clock.now());
    throw new ConflictError(
      `Cannot upload ${row.object_key}: it already exists. Move it away, and run the task again.`,
    );
  }
  const s3UploadId = await bucket.createUpload(row.object_key);
  if (!(await storeUploadId(database, row.id, s3UploadId, clock.now()))) {
    await bucket.abortUpload(row.object_key, s3UploadId);
    throw uploadEnded(row);
  }
  return { upload_id: row.id, part_size: row.part_size };
}

/**
 * Returns presigned URLs. Each is valid for one part and for a limited time. Whoever has a URL can write its
 * part, so only the run's agent is allowed to get the URL.
 */
export async function signParts(
  services: ServiceContext,
  remoteServerId: number,
  input: { upload_id: string; from: number; count: number },
): Promise<{ urls: { part_number: number; url: string }[]; expires_in_ms: number }> {
  const { row, bucket } = await activeUpload(services, remoteServerId, input.upload_id);
  if (row.state !== "open" || row.s3_upload_id === "") throw uploadEnded(row);
  const last = Math.min(input.from + input.count - 1, MAX_PARTS);
  const urls = [];
  for (let part_number = input.from; part_number <= last; part_number++) {
    const url = await bucket.signPart(row.object_key, row.s3_upload_id, part_number, URL_SECONDS);
    urls.push({ part_number, url });
  }
  return { urls, expires_in_ms: URL_SECONDS * 1000 };
}

/**
 * Assembles the object from its parts and checks its stored size. A repeated request returns the same
 * response.
 *
 * @param input `size` is the number of bytes that the agent has sent. An empty object has no parts.
 */
export async function completeUpload(
  services: ServiceContext,
  remoteServerId: number,
  input: { upload_id: string; size: number; parts: { part_number: number; etag: string }[] },
): Promise<{ size: number }> {
  const { row, bucket } = await activeUpload(services, remoteServerId, input.upload_id);
  if (row.state === "completed" && row.size === input.size) return { size: row.size };
  if (row.state !== "open" || row.s3_upload_id === "") throw uploadEnded(row);
  const parts = input.parts.map(({ part_number, etag }) => ({ partNumber: part_number, etag }))
    .sort((a, b) => a.partNumber - b.partNumber);
  const isWhole = parts.every(({ partNumber }, index) => partNumber === index + 1);
  if (!isWhole || parts.length !== partCount(input.size, row.part_size)) {
    throw new ConflictError(
      `Cannot complete the upload of ${row.object_key}: ${parts.length} parts do not make ${input.size} bytes`,
    );
  }
  await assemble(bucket, row, parts, input.size);
  return { size: await verifySize(services, bucket, row, input.size) };
}

/**
 * Aborts an agent's upload. If the upload was already completed, removes the object. See {@link removeUpload}
 * for the cases in which the object is kept.
 */
export async function abortUpload(
  services: ServiceContext,
  remoteServerId: number,
  input: { upload_id: string },
): Promise<void> {
  await ownUpload(services.database, remoteServerId, input.upload_id);
  await removeUpload(services, input.upload_id);
}

/**
 * Removes an upload and its object from the bucket. Keeps the object in two cases: it belongs to the backup
 * of a successful run, or a later attempt uses the same key.
 */
export async function removeUpload(services: ServiceContext, uploadId: string): Promise<void> {
  const { clock, database } = services;
  const { row, isKept, destination } = await transaction(database, async (sql) => {
    const row = await findUpload(sql, uploadId);
    if (row === null || row.state === "removed") return { row: null };
    const run = await lockUploadRun(sql, row.run_id);
    const isKept = run?.state === "succeeded" || await hasLaterUpload(sql, row);
    return { row, isKept, destination: await findBackupDestination(sql, row.backup_destination_id) };
  });
  if (row === null) return;
  const bucket = bucketOf(destination!, services);
  if (row.state === "open") await abortAtBucket(bucket, row);
  // An upload that is recorded as open might already be completed and have become an object, because the
  // response to its completion might have been lost. But an upload without a recorded bucket upload id can't
  // have been completed. If there is an object with the key of such an upload, it belongs to another upload.
  const mayBeObject = row.s3_upload_id !== "";
  if (!isKept && mayBeObject) await bucket.remove(row.object_key);
  else if (row.state === "completed") return;
  await markUploadRemoved(database, row.id, clock.now());
}

/**
 * Completes the upload in the bucket. S3 has no multipart uploads without parts, so an empty object is stored
 * directly.
 */
async function assemble(
  bucket: Bucket,
  row: UploadRow,
  parts: readonly UploadedPart[],
  size: number,
): Promise<void> {
  if (parts.length === 0) {
    await bucket.put(row.object_key, "");
    await bucket.abortUpload(row.object_key, row.s3_upload_id);
    return;
  }
  try {
    await bucket.completeUpload(row.object_key, row.s3_upload_id, parts, size);
  } catch (error) {
    // Ignore this error, because an earlier request might have completed the upload. The caller checks the
    // size of the stored object.
    if (!(error instanceof StorageError && error.code === "NoSuchUpload")) throw error;
  }
}

async function verifySize(
  services: ServiceContext,
  bucket: Bucket,
  row: UploadRow,
  sent: number,
): Promise<number> {
  const stored = await bucket.head(row.object_key);
  if (stored === null) {
    throw new StorageError(
      `Cannot complete the upload of ${row.object_key}: it was aborted at the bucket. Run the task again.`,
      "NoSuchUpload",
      false,
    );
  }
  if (!(await markUploadCompleted(services.database, row.id, stored, services.clock.now()))) {
    await bucket.remove(row.object_key);
    throw uploadEnded(row);
  }
  if (stored !== sent) {
    throw new StorageError(
      `Cannot trust ${row.object_key}: the bucket stored ${stored} bytes of the ${sent} that were sent`,
      "WrongSize",
      false,
    );
  }
  return stored;
}

async function abortAtBucket(bucket: Bucket, row: UploadRow): Promise<void> {
  if (row.s3_upload_id !== "") {
    await bucket.abortUpload(row.object_key, row.s3_upload_id);
    return;
  }
  for await (const { key, uploadId } of bucket.listUploads(row.object_key)) {
    if (key === row.object_key) await bucket.abortUpload(key, uploadId);
  }
}

/**
 * Throws a `ConflictError` unless `name` has the form of this run's own object names. Other servers might use
 * the same directory. If an agent took a name that another server needs later, the other server could not
 * store its object.
 */
function refuseForeignName(name: string, { object_prefix: prefix, object_stamp: stamp }: UploadRun): void {
  const isFile = name !== "" && !name.includes("/");
  const isOwn = prefix !== null && stamp !== null && name.startsWith(`${prefix}_`) &&
    name.slice(prefix.length).includes(`_${stamp}.`);
  if (isFile && isOwn) return;
  throw new ConflictError(
    `Cannot upload ${JSON.stringify(name)}: it is not the name of an object of the run`,
  );
}

/**
 * Returns the size of a part in bytes. If the task's previous backup run failed, the size also depends on how
 * much that run wrote: the run might have failed because its object had too many parts. Throws a
 * `ConflictError` if the object would have too many parts even with the largest part size.
 */
function choosePartSize(name: string, sizeHint: number | null, run: UploadRun): number {
  const size = Math.max(sizeHint ?? 0, run.failed_bytes_written ?? 0);
  const bytes = partSize(size, run.last_bytes_per_second);
  if (bytes !== null) return bytes;
  throw new ConflictError(
    `Cannot upload ${name}: at ${size} bytes it does not fit into ${MAX_PARTS} parts of 5 GiB. ` +
      "Split the task's source.",
  );
}

/** Returns the upload of an active run, and its bucket. Throws the errors of {@link openUpload}. */
async function activeUpload(
  services: ServiceContext,
  remoteServerId: number,
  uploadId: string,
): Promise<{ row: UploadRow; bucket: Bucket }> {
  return await transaction(services.database, async (sql) => {
    const row = await ownUpload(sql, remoteServerId, uploadId);
    await authorizeRun(sql, remoteServerId, row, "upload");
    const destination = await findBackupDestination(sql, row.backup_destination_id);
    return { row, bucket: bucketOf(destination!, services) };
  });
}

async function ownUpload(sql: Sql, remoteServerId: number, uploadId: string): Promise<UploadRow> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uploadId);
  const row = isId ? await findUpload(sql, uploadId) : null;
  const run = row === null ? null : await lockUploadRun(sql, row.run_id);
  if (row === null || run?.remote_server_id !== remoteServerId) throw new NotFoundError("Upload");
  return row;
}

function uploadEnded(row: UploadRow): ConflictError {
  return new ConflictError(`Cannot continue the upload of ${row.object_key}: it was completed or removed`);
}
