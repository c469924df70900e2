/**
 * Downloads through the control plane: an object of a backup as it is stored, or one file of a backup's
 * contents.
 */
import { createHash } from "node:crypto";
import { type RequestedRange, resolveRange } from "../../domain/byte_range.ts";
import { ConflictError, NotFoundError, UnavailableError } from "../../domain/errors.ts";
import { objectKey } from "../../domain/location.ts";
import { AddressRefusedError } from "../../network/network.ts";
import { isStorageType } from "../../storage/registry.ts";
import { readRefusal } from "../../storage/s3_errors.ts";
import type { BackupObjectColumn } from "../../store/backups/backups.ts";
import { enforceSize, requestBytes, type RequestedBytes, type SentBytes } from "../agent_rpc/agent_bytes.ts";
import { DamageFoundError } from "../agent_rpc/agent_requests.ts";
import { markFoundDamage, refuseUnlistable } from "../backups/backup_files.ts";
import { findReadable, type ReadableBackup, readingServer } from "../backups/backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { bucketOf } from "./uploads.ts";

const URL_SECONDS = 3600;

export interface Download {
  /** Suggested file name. */
  readonly name: string;
  readonly etag: string;
  /** Size of the whole object or file in bytes, even if only a range is sent. */
  readonly size: number;
  /** The bytes from `from` up to, but not including, `to` are sent. */
  readonly from: number;
  readonly to: number;
  /** The bytes; null for a HEAD request. Fails if the transfer breaks off. */
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The result if the requested range begins after the end of the object or file. */
export interface Unsatisfiable {
  readonly unsatisfiable: true;
  readonly size: number;
}

/** Chooses the range of an object to send; null means all bytes. The object has the given ETag. */
export type ChooseRange = (etag: string) => RequestedRange | null;

export interface ObjectRequest {
  /** Name of one of the backup's objects; null chooses its first archive. */
  readonly name: string | null;
  /** Whether only the headers are requested, without the bytes. */
  readonly headOnly: boolean;
}

/** Returns a download of one object of a backup, as it is stored. */
export async function downloadObject(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { name, headOnly }: ObjectRequest,
  choose: ChooseRange,
): Promise<Download | Unsatisfiable> {
  const readable = await findReadable(services.database, caller, id);
  const object = readable.backup.objects.find((each) =>
    name === null ? each.role === "archive" : each.name === name
  );
  if (object === undefined) throw new NotFoundError("Object");
  const requested = choose(object.sha256);
  const range = resolveRange(requested, object.size);
  if (range === null) return { unsatisfiable: true, size: object.size };
  const head = { name: object.name, etag: object.sha256, size: object.size, ...range };
  if (headOnly) return { ...head, body: null };
  if (isStorageType(readable.destination.type)) {
    return { ...head, body: await openInBucket(services, readable, object, range) };
  }
  const sent = await requestFromAgent(services, readable, { type: "object", name: object.name }, requested);
  if ("unsatisfiable" in sent) return sent;
  return { ...head, body: enforceSize(sent.bytes, range.to - range.from) };
}

/**
 * Returns a download of one regular file in a backup's contents, decrypted and decompressed. Throws a
 * {@link NotFoundError} if there is no such file.
 */
export async function downloadFile(
  services: ServiceContext,
  caller: Caller,
  id: number,
  path: string,
  choose: ChooseRange,
): Promise<Download | Unsatisfiable> {
  const readable = await findReadable(services.database, caller, id);
  const { backup } = readable;
  refuseUnlistable(backup);
  if (backup.encryption === "recipients") {
    throw new ConflictError(
      "The backup is encrypted to recipients, and the control plane can't decrypt it. Download its archive, or restore the file " +
        "with the identity of one of them.",
    );
  }
  const inside = path.split("/").filter((segment) => segment !== "" && segment !== ".").join("/");
  // The contents of a backup never change, so the backup's hash and the path identify the file's contents.
  const etag = createHash("sha256").update(`${backup.sha256} ${inside}`).digest("hex");
  const requested = choose(etag);
  const sent = await requestFromAgent(services, readable, { type: "file", path: inside }, requested);
  if ("unsatisfiable" in sent) return sent;
  const range = resolveRange(requested, sent.size) ?? { from: 0, to: 0 };
  const name = inside.slice(inside.lastIndexOf("/") + 1);
  return { name, etag, size: sent.size, ...range, body: enforceSize(sent.bytes, range.to - range.from) };
}

async function requestFromAgent(
  services: ServiceContext,
  readable: ReadableBackup,
  what: RequestedBytes,
  range: RequestedRange | null,
): Promise<SentBytes | Unsatisfiable> {
  const serverId = await readingServer(services, readable);
  const { backup } = readable;
  const mark = (error: DamageFoundError) => markFoundDamage(services, backup, error);
  const sent = await requestBytes(services, serverId, { backup, what, range }, mark).catch(async (error) => {
    if (!(error instanceof DamageFoundError)) throw error;
    await mark(error);
    throw new DamageFoundError(
      `${error.message} The backup is marked as damaged: choose another one.`,
      error.damage,
    );
  });
  if ("bytes" in sent) return sent;
  switch (sent.outcome) {
    case "unsatisfiable":
      return { unsatisfiable: true, size: sent.size };
    case "missing":
      throw new NotFoundError("Path");
    case "no_file":
      throw new ConflictError(
        `There is a ${sent.type.replace("_", " ")} at this path, not a file. Restore it instead.`,
      );
    case "unreadable":
      throw new ConflictError(sent.message);
  }
}

async function openInBucket(
  services: ServiceContext,
  { backup, destination }: ReadableBackup,
  { name, size }: BackupObjectColumn,
  { from, to }: { from: number; to: number },
): Promise<ReadableStream<Uint8Array>> {
  const bucket = bucketOf(destination, services);
  const url = await bucket.signGet(objectKey(backup.directory, name), URL_SECONDS);
  const isWhole = from === 0 && to === size;
  const headers: Record<string, string> = isWhole ? {} : { range: `bytes=${from}-${to - 1}` };
  const response = await services.network.fetch(url, { headers }).catch((error) => {
    if (error instanceof AddressRefusedError) {
      throw new ConflictError(`Cannot read the bucket that holds ${name}: ${error.message}.`);
    }
    return null;
  });
  if (response === null) {
    throw new UnavailableError(`The bucket that holds ${name} can't be reached. Try again.`);
  }
  if (response.status === (isWhole ? 200 : 206)) return enforceSize(response.body!, to - from);
  const { code, message } = readRefusal(response.status, await response.text(), response.headers);
  if (code === "NoSuchKey") {
    throw new ConflictError(`The bucket no longer contains ${name}: it was deleted or moved.`);
  }
  throw new UnavailableError(
    `The bucket that holds ${name} answers ${response.status} (${
      message === "" ? code : `${code}: ${message}`
    }). Check its address and keys.`,
  );
}
