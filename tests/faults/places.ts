/**
 * The destinations that plans write to. The harness inspects them directly, not through the relays that cause
 * faults.
 */
import { BucketUploads } from "../support/fixtures/bucket_uploads.ts";
import { TestS3 } from "../support/servers/s3.ts";
import { TestSshd } from "../support/servers/sshd.ts";
import { TestWebdav } from "../support/servers/webdav.ts";
import { FreezableMount } from "../support/fixtures/tmpfs.ts";
import { SmallDisk } from "./disk.ts";
import type { PlaceName, RelayedServer } from "./plan.ts";
import { Relay } from "./relay.ts";

export interface Place {
  /** The destination's fields in the API. */
  readonly fields: Record<string, unknown>;
  /**
   * In the database, the path of each backup's directory starts with `root`. The paths that {@link list}
   * returns leave out this start.
   */
  readonly root: string;
  /** Returns the path of every file or object below the root, including partial ones. */
  list(): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  /** Returns the keys of open uploads. */
  openUploads(): Promise<string[]>;
}

const DISK_BYTES = 96 * 2 ** 20;

/** The servers and disks behind the destinations. The plans of the fault tests break them. */
interface Backends {
  readonly s3: TestS3;
  readonly s3Relay: Relay;
  readonly relays: Readonly<Record<RelayedServer, Relay>>;
  readonly disk: SmallDisk;
  /** A mount that behaves like a network disk whose server can stop responding. */
  readonly networkDisk: FreezableMount;
}

export class Places implements AsyncDisposable {
  private constructor(
    readonly all: Readonly<Record<PlaceName, Place>>,
    readonly backends: Backends,
    private readonly parts: AsyncDisposable,
  ) {}

  /**
   * Starts the servers and mounts the disks.
   *
   * @param root An absolute path. Directories are created below it.
   */
  static async open(root: string): Promise<Places> {
    await using opening = new AsyncDisposableStack();
    const s3 = opening.use(await TestS3.open());
    const s3Relay = opening.use(new Relay(Number(new URL(s3.endpoint).port)));
    const sshd = opening.use(await TestSshd.open());
    const webdav = opening.use(await TestWebdav.open("rclone"));
    const relays = {
      SFTP: opening.use(new Relay(sshd.port)),
      WebDAV: opening.use(new Relay(webdav.port)),
    };
    const disk = opening.use(await SmallDisk.open(`${root}/small`, DISK_BYTES));
    await Deno.mkdir(`${root}/local`);
    await Deno.mkdir(`${root}/network-server`);
    const networkDisk = opening.use(await FreezableMount.open(`${root}/network-server`, `${root}/network`));
    const all = {
      local: inDirectory(`${root}/local`, { type: "local", local_path: `${root}/local` }),
      "small disk": inDirectory(disk.path, { type: "local", local_path: disk.path }),
      "network disk": inDirectory(`${root}/network-server`, { type: "local", local_path: networkDisk.path }),
      sftp: inDirectory(sshd.directory, {
        type: "sftp",
        sftp_host: sshd.host,
        sftp_port: relays.SFTP.port,
        sftp_username: sshd.username,
        sftp_private_key: sshd.privateKey,
        sftp_host_key: sshd.hostKey,
        sftp_path: sshd.directory,
      }),
      webdav: {
        ...inDirectory(webdav.directory, {
          type: "webdav",
          webdav_url: `http://127.0.0.1:${relays.WebDAV.port}`,
          webdav_username: webdav.username,
          webdav_password: webdav.password,
        }),
        root: "",
      },
      s3: inBucket(s3, `http://127.0.0.1:${s3Relay.port}`),
    };
    return new Places(all, { s3, s3Relay, relays, disk, networkDisk }, opening.move());
  }

  heal(): void {
    const { s3, s3Relay, relays, disk, networkDisk } = this.backends;
    s3.fault = () => null;
    s3Relay.heal();
    Object.values(relays).forEach((relay) => relay.heal());
    disk.empty();
    networkDisk.thaw();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.parts[Symbol.asyncDispose]();
  }
}

function inDirectory(root: string, fields: Record<string, unknown>): Place {
  return {
    fields,
    root: String(fields.local_path ?? root),
    list: () => filesBelow(root, ""),
    read: (path) => Deno.readFile(`${root}/${path}`),
    openUploads: () => Promise.resolve([]),
  };
}

function inBucket(s3: TestS3, endpoint: string): Place {
  const { bucket } = new BucketUploads(s3.options, "");
  return {
    fields: {
      type: "custom_s3",
      s3_access_key: s3.accessKey,
      s3_secret_key: s3.secretKey,
      s3_bucket_name: s3.bucket,
      custom_s3_endpoint: endpoint,
      path_style_endpoint: true,
    },
    root: "",
    list: async () => {
      const keys: string[] = [];
      for await (const { key } of bucket.list("")) keys.push(key);
      return keys.sort();
    },
    read: (path) => s3.read(path),
    openUploads: async () => (await s3.openUploads()).map(({ key }) => key),
  };
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${root}/${path}`)) {
    const inside = path === "" ? entry.name : `${path}/${entry.name}`;
    found.push(...entry.isDirectory ? await filesBelow(root, inside) : [inside]);
  }
  return found.sort();
}
