/** One real destination of each type, as the contract suite needs it. */
import type { DestinationPorts } from "../../agent/engine/destinations/registry.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { JobDestination } from "../../src/protocol/job.ts";
import { BucketUploads } from "./bucket_uploads.ts";
import { TestS3 } from "./s3.ts";
import { TestSshd } from "./sshd.ts";
import { mountTmpfs } from "./tmpfs.ts";

export interface DestinationFixture extends AsyncDisposable {
  /** In this directory below the destination's own place, which need not exist; empty for the place itself. */
  spec(directory: string): JobDestination;
  ports(directory: string, signal?: AbortSignal): DestinationPorts;
  /** What stands there under a final name: path below the place, to its bytes. */
  objects(): Promise<Map<string, Uint8Array>>;
  /** What else is there: partial files, open uploads. */
  partials(): Promise<string[]>;
  /** From now on there is room for less than `ROOM` bytes. */
  fill(): Promise<void>;
}

export const ROOM = 2 ** 20;

export const destinationFixtures: Record<string, () => Promise<DestinationFixture>> = {
  local: localFixture,
  s3: s3Fixture,
  sftp: sftpFixture,
};

function portsOf(signal = new AbortController().signal): DestinationPorts {
  return { clock: systemClock, signal, output: null, uploads: null };
}

async function localFixture(): Promise<DestinationFixture> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-local-" });
  const stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(root, { recursive: true }));
  return {
    ...inDirectory(root, stack),
    spec: (directory) => ({ type: "local", directory: below(root, directory) }),
    ports: (_directory, signal) => portsOf(signal),
  };
}

async function sftpFixture(): Promise<DestinationFixture> {
  const sshd = await TestSshd.open();
  const stack = new AsyncDisposableStack();
  stack.use(sshd);
  return {
    ...inDirectory(sshd.directory, stack),
    spec: (directory) => sshdSpec(sshd, below(sshd.directory, directory)),
    ports: (_directory, signal) => portsOf(signal),
  };
}

export function sshdSpec(sshd: TestSshd, directory = sshd.directory): JobDestination & { type: "sftp" } {
  return {
    type: "sftp",
    host: sshd.host,
    port: sshd.port,
    username: sshd.username,
    password: null,
    private_key: sshd.privateKey,
    host_key: sshd.hostKey,
    directory,
  };
}

function inDirectory(root: string, stack: AsyncDisposableStack) {
  return {
    objects: async () => {
      const files = (await filesBelow(root, "")).filter((path) => !isPartial(path));
      return new Map(
        await Promise.all(files.map(async (path) => [path, await Deno.readFile(`${root}/${path}`)] as const)),
      );
    },
    partials: async () => (await filesBelow(root, "")).filter(isPartial),
    fill: async () => void stack.use(await mountTmpfs(root, ROOM)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function s3Fixture(): Promise<DestinationFixture> {
  const s3 = await TestS3.open();
  const place = "the place";
  const { bucket } = new BucketUploads(s3.options, "");
  const key = (directory: string) => directory === "" ? place : `${place}/${directory}`;
  return {
    spec: (directory) => ({ type: "s3", bucket: s3.bucket, directory: key(directory) }),
    ports: (directory, signal) => ({
      ...portsOf(signal),
      uploads: new BucketUploads(s3.options, key(directory)),
    }),
    objects: async () => {
      const objects = new Map<string, Uint8Array>();
      for await (const found of bucket.list(`${place}/`)) {
        objects.set(found.key.slice(place.length + 1), await s3.read(found.key));
      }
      return objects;
    },
    partials: async () => (await s3.openUploads()).map((upload) => upload.key),
    fill: () => {
      s3.fault = (call) => call.method === "PUT" ? { status: 507, code: "QuotaExceeded" } : null;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => s3[Symbol.asyncDispose](),
  };
}

function below(root: string, directory: string): string {
  return directory === "" ? root : `${root}/${directory}`;
}

function isPartial(path: string): boolean {
  return path.endsWith(".partial");
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${root}/${path}`)) {
    const inside = path === "" ? entry.name : `${path}/${entry.name}`;
    found.push(...entry.isDirectory ? await filesBelow(root, inside) : [inside]);
  }
  return found.sort();
}
