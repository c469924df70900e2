/** Where backups lie, as `recover` reads it: a directory of this machine or of an SSH server, or a bucket. */
import { resolve } from "node:path";
import type { Clock } from "../domain/clock.ts";
import { AddressPolicy } from "../network/address_policy.ts";
import { Network } from "../network/network.ts";
import { Bucket } from "../storage/s3.ts";
import { RecoveryError } from "./recovery_error.ts";
import { openSftpRepository } from "./sftp_repository.ts";
import type { BackupRepository } from "./backup_repository.ts";

/**
 * `s3://BUCKET[/PREFIX]`, `sftp://USER@HOST[:PORT]/DIRECTORY`, or a directory. Keys and passwords come from
 * the environment, never from an argument.
 */
export async function openRepository(
  text: string,
  environment: Record<string, string>,
  clock: Clock,
): Promise<BackupRepository> {
  const match = /^([a-z0-9]+):\/\/([^/]+)\/?(.*)$/.exec(text);
  if (match === null) return directoryRepository(resolve(text));
  const [, scheme, bucket, prefix] = match;
  if (scheme === "sftp") return await openSftpRepository(text, environment, clock);
  if (scheme === "s3") return bucketRepository(bucket!, prefix!.replace(/\/+$/, ""), environment);
  throw new RecoveryError(
    `Cannot recover from ${scheme}://…: only directories, s3:// and sftp:// are read. Copy the files here, and name their directory.`,
  );
}

function directoryRepository(root: string): BackupRepository {
  return {
    description: root,
    destination: { label: "Recovered", type: "local", values: { local_path: root } },
    paths: (skip) => filesBelow(root, "", skip),
    read: async (path) => (await Deno.open(`${root}/${path}`)).readable,
    directory: (path) => path === "" ? root : `${root}/${path}`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Symbolic links are not followed. */
async function* filesBelow(
  root: string,
  directory: string,
  skip: (path: string, reason: string) => void,
): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(`${root}/${directory}`));
  } catch (error) {
    if (directory === "" || !(error instanceof Deno.errors.PermissionDenied)) throw error;
    return skip(directory, "the user may not read it");
  }
  for (const { name, isDirectory, isFile } of entries) {
    const path = directory === "" ? name : `${directory}/${name}`;
    if (isDirectory) yield* filesBelow(root, path, skip);
    else if (isFile) yield path;
  }
}

function bucketRepository(
  bucket: string,
  prefix: string,
  environment: Record<string, string>,
): BackupRepository {
  const required = (name: string) => {
    if (environment[name]) return environment[name];
    throw new RecoveryError(`Cannot open the bucket ${bucket}: set ${name} in the environment`);
  };
  const accessKey = required("AWS_ACCESS_KEY_ID");
  const secretKey = required("AWS_SECRET_ACCESS_KEY");
  const endpoint = environment.AWS_ENDPOINT_URL || null;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || null;
  const options = { endpoint, region, bucket, pathStyle: endpoint !== null, accessKey, secretKey };
  // Who runs this names the address: nothing of it is a user's.
  const network = new Network(AddressPolicy.everything);
  const storage = new Bucket(options, network);
  const key = (path: string) => [prefix, path].filter((part) => part !== "").join("/");
  return {
    description: `bucket ${bucket}${prefix === "" ? "" : ` below ${prefix}`}`,
    destination: {
      label: "Recovered",
      type: endpoint === null ? "s3" : "custom_s3",
      values: {
        s3_access_key: accessKey,
        s3_secret_key: secretKey,
        s3_bucket_name: bucket,
        s3_region: region ?? (endpoint === null ? "us-east-1" : null),
        s3_endpoint: endpoint,
        path_style_endpoint: endpoint !== null,
      },
    },
    async *paths() {
      for await (const found of storage.list(prefix === "" ? "" : `${prefix}/`)) {
        yield prefix === "" ? found.key : found.key.slice(prefix.length + 1);
      }
    },
    async read(path) {
      const response = await network.fetch(await storage.signGet(key(path), 3600));
      if (response.ok) return response.body!;
      await response.body?.cancel();
      throw new RecoveryError(`Cannot read ${key(path)}: the bucket answers ${response.status}`);
    },
    directory: key,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
