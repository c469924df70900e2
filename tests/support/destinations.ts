/** One real destination of each type, as the contract suite needs it. */
import type { DestinationPorts } from "../../agent/engine/destinations/registry.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { isThere } from "../../agent/engine/is_there.ts";
import type { JobDestination, LocalDestination, ReadDestination } from "../../src/protocol/job.ts";
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
  /** From now on, until the returned promise's function is called, there is room for less than `ROOM` bytes. */
  fill(): Promise<() => Promise<void>>;
  /** What the API is told of it. */
  readonly fields: Fields;
  /** For a task: where `spec(directory)` leads. */
  storePath(directory: string): string;
  readonly secrets: readonly string[];
  readonly mishaps: readonly Mishap[];
}

export type Fields = Record<string, unknown>;

/** Something that makes runs fail. What it returns is to be changed at the API. */
export interface Mishap {
  readonly name: string;
  happen(): Promise<Fields>;
  mend(): Promise<Fields>;
  /** The reason that a run tells. */
  readonly reason: RegExp;
  /** Whether a check finds it, too. */
  readonly isChecked: boolean;
  /** Whether not even the objects can be looked at. */
  readonly isGone?: boolean;
}

export const ROOM = 2 ** 20;

export const destinationFixtures: Record<string, () => Promise<DestinationFixture>> = {
  local: localFixture,
  s3: s3Fixture,
  sftp: sftpFixture,
};

/** What can be read and not written, and where to put what is to be read there. */
export interface ReadOnlyFixture extends AsyncDisposable {
  spec(directory: string): ReadDestination;
  ports(directory: string, signal?: AbortSignal): DestinationPorts;
  readonly writable: DestinationFixture;
}

export const readOnlyFixtures: Record<string, () => Promise<ReadOnlyFixture>> = {
  relay: relayFixture,
};

/** Answers as the control plane does; `tests/relay_test.ts` has the real one, and the other agent. */
async function relayFixture(): Promise<ReadOnlyFixture> {
  const writable = await localFixture();
  const server = { id: 2, label: "web1" };
  const directoryOf = (directory: string) => (writable.spec(directory) as LocalDestination).directory;
  const answer = async (path: string, from: number, to: number) => {
    if (!(await isThere(path.slice(0, path.lastIndexOf("/"))))) {
      return Response.json({ message: "its directory is not there" }, { status: 409 });
    }
    if (!(await isThere(path))) return Response.json({ message: "It is not there." }, { status: 410 });
    const bytes = await Deno.readFile(path);
    const headers = { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` };
    if (from < bytes.length) return new Response(bytes.subarray(from, to), { status: 206, headers });
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
  };
  return {
    writable,
    spec: (directory) => ({ type: "relay", server, directory: directoryOf(directory) }),
    ports: (directory, signal) => ({
      ...portsOf(signal),
      relay: { get: (name, from, to) => answer(`${directoryOf(directory)}/${name}`, from, to) },
    }),
    [Symbol.asyncDispose]: () => writable[Symbol.asyncDispose](),
  };
}

function portsOf(signal = new AbortController().signal): DestinationPorts {
  return { clock: systemClock, signal, output: null, uploads: null, downloads: null, relay: null };
}

async function localFixture(): Promise<DestinationFixture> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-local-" });
  const stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const place = inDirectory(root, stack);
  const fields = { type: "local", local_path: root };
  return {
    ...place,
    spec: (directory) => ({ type: "local", directory: below(root, directory) }),
    ports: (_directory, signal) => portsOf(signal),
    fields,
    secrets: [],
    mishaps: [
      full(place.fill),
      changed(
        "its path is a file",
        fields,
        { local_path: "/etc/hostname" },
        /Correct the destination's path/,
      ),
    ],
  };
}

async function sftpFixture(): Promise<DestinationFixture> {
  const sshd = await TestSshd.open();
  const stack = new AsyncDisposableStack();
  stack.use(sshd);
  const place = inDirectory(sshd.directory, stack);
  const byKey = { sftp_private_key: sshd.privateKey, sftp_password: null };
  const fields = {
    type: "sftp",
    sftp_host: sshd.host,
    sftp_port: sshd.port,
    sftp_username: sshd.username,
    ...(sshd.password === null ? byKey : { sftp_password: sshd.password, sftp_private_key: null }),
    sftp_host_key: sshd.hostKey,
    sftp_path: sshd.directory,
  };
  const wrongHostKey = `SHA256:${"A".repeat(43)}`;
  return {
    ...place,
    spec: (directory) => sshdSpec(sshd, below(sshd.directory, directory)),
    ports: (_directory, signal) => portsOf(signal),
    fields,
    secrets: [
      ...(sshd.password === null ? [] : [sshd.password]),
      ...sshd.privateKey.split("\n").slice(1, -2),
    ],
    mishaps: [
      full(place.fill),
      changed(
        "its host key is another",
        fields,
        { sftp_host_key: wrongHostKey },
        /its host key is not the pinned/,
      ),
      {
        ...changed("its password is wrong", fields, { sftp_password: "not-it" }, /does not let the user in/),
        mend: () => Promise.resolve(byKey),
      },
    ],
  };
}

/** The disk holds the bytes of a probe all the same. */
function full(fill: DestinationFixture["fill"]): Mishap {
  let empty = () => Promise.resolve();
  return {
    name: "it is full",
    happen: async () => {
      empty = await fill();
      return {};
    },
    mend: () => empty().then(() => ({})),
    reason: /disk is full/,
    isChecked: false,
  };
}

function changed(name: string, fields: Fields, change: Fields, reason: RegExp): Mishap {
  const before = Object.fromEntries(Object.keys(change).map((key) => [key, fields[key]]));
  return {
    name,
    happen: () => Promise.resolve(change),
    mend: () => Promise.resolve(before),
    reason,
    isChecked: true,
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
    fill: async () => {
      const mounted = new AsyncDisposableStack();
      stack.use(mounted);
      mounted.use(await mountTmpfs(root, ROOM));
      return () => mounted.disposeAsync();
    },
    storePath: (directory: string) => directory,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function s3Fixture(): Promise<DestinationFixture> {
  const s3 = await TestS3.open();
  const place = "the place";
  const { bucket } = new BucketUploads(s3.options, "");
  const key = (directory: string) => directory === "" ? place : `${place}/${directory}`;
  const fill = () => {
    s3.fault = (call) => call.method === "PUT" ? { status: 507, code: "QuotaExceeded" } : null;
    return Promise.resolve(() => Promise.resolve(void (s3.fault = () => null)));
  };
  const fields = {
    type: "custom_s3",
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: s3.endpoint,
    path_style_endpoint: true,
  };
  return {
    spec: (directory) => ({ type: "s3", bucket: s3.bucket, directory: key(directory) }),
    ports: (directory, signal) => {
      const uploads = new BucketUploads(s3.options, key(directory));
      return { ...portsOf(signal), uploads, downloads: uploads.downloads };
    },
    objects: async () => {
      const objects = new Map<string, Uint8Array>();
      for await (const found of bucket.list(`${place}/`)) {
        objects.set(found.key.slice(place.length + 1), await s3.read(found.key));
      }
      return objects;
    },
    partials: async () => (await s3.openUploads()).map((upload) => upload.key),
    fill,
    fields,
    storePath: key,
    secrets: [s3.accessKey, s3.secretKey],
    mishaps: [
      { ...full(fill), reason: /quota/, isChecked: true },
      changed(
        "its secret key is wrong",
        fields,
        { s3_secret_key: "not-it" },
        /Check the destination's secret key/,
      ),
      changed(
        "its access key is wrong",
        fields,
        { s3_access_key: "not-it" },
        /Check the destination's access key/,
      ),
      changed(
        "its bucket is another's name",
        { ...fields, objects_moved: true },
        { s3_bucket_name: "elsewhere", objects_moved: true },
        /the bucket does not exist/,
      ),
      {
        name: "its bucket is gone",
        happen: () => s3.removeBucket().then(() => ({})),
        mend: () => s3.makeBucket().then(() => ({})),
        reason: /the bucket does not exist/,
        isChecked: true,
        isGone: true,
      },
    ],
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
