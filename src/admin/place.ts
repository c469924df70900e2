/** Where backups lie, as `recover` reads it: a directory of this machine, or a bucket. */
import { resolve } from "node:path";
import type { NewBackupDestinationInput } from "../services/backup_destinations.ts";
import { Bucket } from "../storage/s3.ts";
import { RecoveryError } from "./recovery_error.ts";

export interface Place {
  /** For messages. */
  readonly description: string;
  /** The destination that it is to a control plane. */
  readonly destination: NewBackupDestinationInput;
  /** Every file below it, by its path from there. */
  paths(): AsyncIterable<string>;
  /** Of a small file. */
  text(path: string): Promise<string>;
  read(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Where a control plane finds the directory: an absolute path, or a key prefix. */
  directory(path: string): string;
}

/** `s3://BUCKET[/PREFIX]`, or a directory. A bucket's keys come from the environment, never from an argument. */
export function openPlace(text: string, environment: Record<string, string>): Place {
  const match = /^([a-z0-9]+):\/\/([^/]+)\/?(.*)$/.exec(text);
  if (match === null) return directoryPlace(resolve(text));
  const [, scheme, bucket, prefix] = match;
  if (scheme === "s3") return bucketPlace(bucket!, prefix!.replace(/\/+$/, ""), environment);
  throw new RecoveryError(
    `Cannot recover from ${scheme}://…: only directories and s3:// are read. Copy the files here, and name their directory.`,
  );
}

function directoryPlace(root: string): Place {
  return {
    description: root,
    destination: { label: "Recovered", type: "local", local_path: root },
    paths: () => filesBelow(root, ""),
    text: (path) => Deno.readTextFile(`${root}/${path}`),
    read: async (path) => (await Deno.open(`${root}/${path}`)).readable,
    directory: (path) => path === "" ? root : `${root}/${path}`,
  };
}

/** Symbolic links are not followed. */
async function* filesBelow(root: string, directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(`${root}/${directory}`)) {
    const path = directory === "" ? name : `${directory}/${name}`;
    if (isDirectory) yield* filesBelow(root, path);
    else if (isFile) yield path;
  }
}

function bucketPlace(bucket: string, prefix: string, environment: Record<string, string>): Place {
  const required = (name: string) => {
    if (environment[name]) return environment[name];
    throw new RecoveryError(`Cannot open the bucket ${bucket}: set ${name} in the environment`);
  };
  const accessKey = required("AWS_ACCESS_KEY_ID");
  const secretKey = required("AWS_SECRET_ACCESS_KEY");
  const endpoint = environment.AWS_ENDPOINT_URL || null;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || null;
  const storage = new Bucket({
    endpoint,
    region,
    bucket,
    pathStyle: endpoint !== null,
    accessKey,
    secretKey,
  });
  const key = (path: string) => [prefix, path].filter((part) => part !== "").join("/");
  return {
    description: `bucket ${bucket}${prefix === "" ? "" : ` below ${prefix}`}`,
    destination: {
      label: "Recovered",
      type: endpoint === null ? "s3" : "custom_s3",
      s3_access_key: accessKey,
      s3_secret_key: secretKey,
      s3_bucket_name: bucket,
      s3_region: region ?? (endpoint === null ? "us-east-1" : null),
      s3_endpoint: endpoint,
      path_style_endpoint: endpoint !== null,
    },
    async *paths() {
      for await (const found of storage.list(prefix === "" ? "" : `${prefix}/`)) {
        yield prefix === "" ? found.key : found.key.slice(prefix.length + 1);
      }
    },
    text: (path) => storage.get(key(path)),
    async read(path) {
      const response = await fetch(await storage.signGet(key(path), 3600));
      if (response.ok) return response.body!;
      await response.body?.cancel();
      throw new RecoveryError(`Cannot read ${key(path)}: the bucket answers ${response.status}`);
    },
    directory: key,
  };
}
