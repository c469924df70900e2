/** A small backup of files in each format, of which single bits can be changed where it is stored. */
import { createHash } from "node:crypto";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { withDigest } from "../../agent/engine/manifest_digest.ts";
import type { BackupToRead, StoredBackup, StoredObject } from "../../src/protocol/job.ts";
import { libraryEncryptWith } from "./age_files.ts";
import { BackupRun, shell } from "./backup_run.ts";

export const FORMATS = ["plain", "password", "recipients"] as const;
export type Format = typeof FORMATS[number];

const PASSPHRASE = "correct horse";
/** Of `MAX_NAT` + 1 places that an object's bytes are spread over. */
const MAX_PLACE = 2 ** 31 - 1;

/** Where an object is another than it was stored, whatever its size. */
export interface Flip {
  /** In [0, 2 ** 31): spread over its bytes. */
  readonly place: number;
  /** Of the byte. */
  readonly bit: number;
}

/** Does the work with that many flips at random. A failure tells the seed, which `FLIP_SEED` takes to repeat it. */
export function flips(times: number, work: (flip: Flip) => Promise<unknown>): Promise<void> {
  const flip = fc.record({
    place: fc.integer({ min: 0, max: MAX_PLACE }),
    bit: fc.integer({ min: 0, max: 7 }),
  });
  const seed = Deno.env.get("FLIP_SEED");
  return fc.assert(fc.asyncProperty(flip, async (each) => void await work(each)), {
    numRuns: times,
    endOnFailure: true,
    includeErrorInReport: true,
    plugins: [fc.unbiased()],
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}

export function offsetOf({ place }: Flip, size: number): number {
  return Math.floor(place / (MAX_PLACE + 1) * size);
}

export class FlippedBackup implements AsyncDisposable {
  private constructor(
    readonly run: BackupRun,
    readonly tree: string,
    readonly backup: StoredBackup,
    /** What opens it. */
    readonly key: BackupToRead["key"],
    private readonly stored: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  ) {}

  static async make(format: Format): Promise<FlippedBackup> {
    const run = await BackupRun.open();
    const tree = `${run.root}/tree`;
    await shell(
      'mkdir -p "$1/d"; cd "$1"; head -c 20000 /dev/urandom > noise; seq 5000 > d/numbers; ln noise d/hard',
      tree,
    );
    const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
    const identity = await generateX25519Identity();
    const recipients = [await identityToRecipient(identity)];
    let backup = await run.run(
      source,
      format === "recipients" ? { encryption: { type: "recipients", recipients } } : {},
    );
    if (format === "password") backup = await sealed(run, backup);
    const stored = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const { name } of backup.objects) stored.set(name, await Deno.readFile(`${run.directory}/${name}`));
    const key = format === "plain"
      ? null
      : format === "password"
      ? { type: "passphrase" as const, passphrase: PASSPHRASE }
      : { type: "identity" as const, identity };
    return new FlippedBackup(run, tree, backup, key, stored);
  }

  object(role: StoredObject["role"]): StoredObject {
    return this.backup.objects.find((object) => object.role === role)!;
  }

  /** Changes the object where it is stored. What it returns has the backup's digests follow: as if it had been stored so. */
  async flip(object: StoredObject, flip: Flip): Promise<StoredBackup> {
    const bytes = this.stored.get(object.name)!.slice();
    bytes[offsetOf(flip, bytes.length)]! ^= 1 << flip.bit;
    await Deno.writeFile(`${this.run.directory}/${object.name}`, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const objects = this.backup.objects.map((each) => each === object ? { ...each, sha256 } : each);
    return { ...this.backup, objects };
  }

  /** Every object is as it was stored again. */
  async mend(): Promise<void> {
    for (const [name, bytes] of this.stored) await Deno.writeFile(`${this.run.directory}/${name}`, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
  }
}

/** The same backup encrypted with a password, at a cost that a test can pay often. */
async function sealed(run: BackupRun, plain: StoredBackup): Promise<StoredBackup> {
  const objects: StoredObject[] = [];
  let manifest = "";
  for (const object of plain.objects) {
    const path = `${run.directory}/${object.name}`;
    if (object.role === "manifest") {
      manifest = await Deno.readTextFile(path);
      continue;
    }
    const bytes = await libraryEncryptWith(PASSPHRASE, await Deno.readFile(path));
    await Deno.remove(path);
    await Deno.writeFile(`${path}.age`, bytes);
    objects.push({ ...object, name: `${object.name}.age`, ...figuresOf(bytes) });
  }
  const own = plain.objects.find(({ role }) => role === "manifest")!;
  const { manifest_sha256: _, ...rest } = JSON.parse(manifest);
  const told = { ...rest, encryption: "age, passphrase (scrypt)", objects };
  const bytes = new TextEncoder().encode(withDigest(`${JSON.stringify(told, null, 2)}\n`));
  await Deno.writeFile(`${run.directory}/${own.name}`, bytes);
  return { ...plain, encrypted: true, objects: [...objects, { ...own, ...figuresOf(bytes) }] };
}

function figuresOf(bytes: Uint8Array): { size: number; sha256: string } {
  return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
