/**
 * Runs a real S3 server on a free port, with files in a temporary directory. The package s3rver stores the
 * objects. This file adds what clients need and s3rver lacks:
 * - It checks signatures, their expiry and Content-MD5.
 * - It aborts, lists and loses uploads.
 */
import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import S3rver from "s3rver";
import { systemClock } from "../../../src/domain/clock.ts";
import type { BucketOptions } from "../../../src/storage/s3_address.ts";
import { signatureFault } from "./s3_signature.ts";

/** The parts of s3rver that are used here. It is a Koa application without types. */
interface Context {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  url: string;
  status: number;
  type: string;
  body: string;
  respond: boolean;
}
interface Store {
  getResourcePath(bucket: string, key: string | undefined, resource: string): string;
  putObject(object: { bucket: string; key: string }): Promise<{ size: number }>;
  putPart(bucket: string, uploadId: string, partNumber: string, content: unknown): Promise<{ size: number }>;
}
interface Server {
  readonly store: Store;
  middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[];
  readonly httpServer: { closeAllConnections(): void };
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}

export interface S3Call {
  readonly method: string;
  /** The decoded path: `/<bucket>/<key>`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The size of the body that the headers announce, in bytes. */
  readonly size: number;
}

/**
 * A fault in place of a normal response. Null means that the server responds normally.
 * - `cut`: the server cuts the connection and does not do the work.
 * - `cut the answer`: the server does the work, then cuts the connection.
 * - An error: the server sends the error and does not do the work. With `done`, it does the work first.
 */
export type S3Fault =
  | { status: number; code: string; message?: string; done?: boolean }
  /**
   * A page from a proxy in front of the server. With `done`, the page is sent after the server has done the
   * work of the call. Without `done`, the server does no work.
   */
  | { status: number; page: string; done?: boolean }
  | "cut"
  | "cut the answer"
  | null;

export class TestS3 implements AsyncDisposable {
  readonly accessKey = `AK${randomBytes(6).toString("hex")}`;
  readonly secretKey = randomBytes(20).toString("base64");
  readonly bucket = "backups";
  /** Every received call, including those with a fault. */
  readonly calls: S3Call[] = [];
  /** Returns the fault for a call. A test can replace this function. */
  fault: (call: S3Call) => S3Fault = () => null;
  /** Returns the text to send as a response's body. A test can replace this function. */
  altered: (call: S3Call, body: string) => string = (_call, body) => body;
  /** Called when the server has done the work of a call. */
  answered: (call: S3Call) => void = () => {};
  /** Returns whether a byte of the uploaded part changes in transit. A test can replace this function. */
  damage: (call: S3Call) => boolean = () => false;
  /**
   * Whether the bucket is versioned. If true, a deleted object is kept as a version, until a request deletes
   * the version by its id.
   */
  isVersioned = false;
  /** Keys of deleted objects that are kept as versions. */
  readonly kept = new Set<string>();
  /** The maximum number of keys in one page of a list. */
  pageSize = 1000;
  #server!: Server;
  #port = 0;

  private constructor(private readonly directory: string) {}

  static async open(): Promise<TestS3> {
    const s3 = new TestS3(await Deno.makeTempDir({ prefix: "rearguard-s3-" }));
    const server = new S3rver({
      address: "127.0.0.1",
      port: 0,
      silent: true,
      directory: s3.directory,
      // This class checks signatures before it calls s3rver.
      allowMismatchedSignatures: true,
      configureBuckets: [{ name: s3.bucket }],
    }) as unknown as Server;
    waitForFiles(server.store);
    server.middleware.unshift((context, next) => s3.#handle(context, next));
    s3.#server = server;
    s3.#port = (await server.run()).port;
    return s3;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get options(): BucketOptions {
    const { endpoint, bucket, accessKey, secretKey } = this;
    return { endpoint, region: null, bucket, pathStyle: true, accessKey, secretKey };
  }

  /** Returns the uploads that are neither completed nor aborted. */
  async openUploads(): Promise<{ key: string; uploadId: string }[]> {
    const uploads: { key: string; uploadId: string }[] = [];
    const ids = await Array.fromAsync(Deno.readDir(this.#uploads()), ({ name }) => name).catch(unlessMissing);
    for (const uploadId of ids ?? []) {
      // An upload that ends while the uploads are listed is left out.
      const key = await Deno.readTextFile(`${this.#uploads()}/${uploadId}/key`).catch(unlessMissing);
      if (key !== undefined) uploads.push({ key, uploadId });
    }
    return uploads.sort((a, b) => a.key < b.key ? -1 : 1);
  }

  /** Returns the bytes of a stored object, whatever faults are set. */
  async read(key: string): Promise<Uint8Array> {
    return await Deno.readFile(`${this.directory}/${this.bucket}/${key}._S3rver_object`);
  }

  get bucketDirectory(): string {
    return `${this.directory}/${this.bucket}`;
  }

  async makeBucket(): Promise<void> {
    await Deno.mkdir(`${this.directory}/${this.bucket}`);
  }

  async removeBucket(): Promise<void> {
    await Deno.remove(`${this.directory}/${this.bucket}`, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.httpServer.closeAllConnections();
    await this.#server.close();
    await Deno.remove(this.directory, { recursive: true });
  }

  #uploads(uploadId?: string): string {
    return `${this.directory}/${this.bucket}/._S3rver_uploads${uploadId === undefined ? "" : `/${uploadId}`}`;
  }

  async #handle(context: Context, next: () => Promise<void>): Promise<void> {
    const { req, res } = context;
    const url = new URL(req.url!, "http://s3");
    const call = {
      method: req.method!,
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      size: Number(req.headers["content-length"] ?? 0),
    };
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault !== null && typeof fault === "object" && !fault.done) return answer(context, fault);
    // Koa must not send a response once the connection is cut.
    context.respond = fault === null || typeof fault === "object";
    if (fault === "cut") return void res.destroy();
    const signed = { method: req.method!, target: req.url!, headers: req.headers };
    const refused = signatureFault(signed, this, systemClock.now());
    if (refused !== null) return answer(context, { status: 403, code: refused });
    // Removes the signature, because s3rver would check the signature against its own account.
    delete req.headers["authorization"];
    context.url = context.url.replace(/([?&])X-Amz-[^&]*/g, "$1").replace(/&&+/g, "&").replace("?&", "?");
    await this.#work(context, call, next);
    this.answered(call);
    if (fault !== null && typeof fault === "object") answer(context, fault);
    else if (typeof context.body === "string") context.body = this.altered(call, context.body);
    if (fault === "cut the answer") res.destroy();
  }

  async #work(context: Context, call: S3Call, next: () => Promise<void>): Promise<void> {
    const uploadId = call.query.get("uploadId");
    if (call.query.has("versions")) return await this.#listVersions(context, call);
    if (this.isVersioned && call.method === "DELETE" && uploadId === null) {
      return await this.#deleteVersion(context, call, next);
    }
    if (call.method === "GET" && call.query.has("uploads")) return await this.#listUploads(context, call);
    if (call.query.has("list-type")) return await this.#listObjects(context, call, next);
    if (uploadId === null) return await next();
    if (!(await exists(this.#uploads(uploadId)))) {
      return answer(context, { status: 404, code: "NoSuchUpload" });
    }
    if (call.method === "DELETE") {
      await Deno.remove(this.#uploads(uploadId), { recursive: true });
      context.status = 204;
      return;
    }
    await next();
    if (call.method === "PUT") await this.#checkPart(context, uploadId, call);
  }

  /** Removes a part that does not match its Content-MD5, and responds with an error. */
  async #checkPart(context: Context, uploadId: string, call: S3Call): Promise<void> {
    const path = `${this.#uploads(uploadId)}/${call.query.get("partNumber")}`;
    const content = await Deno.readFile(path);
    if (this.damage(call)) content[content.length >> 1]! ^= 1;
    const promised = context.req.headers["content-md5"];
    if (promised === undefined) return;
    if (createHash("md5").update(content).digest("base64") === promised) return;
    await Deno.remove(path);
    answer(context, { status: 400, code: "BadDigest" });
  }

  async #listVersions(context: Context, call: S3Call): Promise<void> {
    if (!this.isVersioned) return answer(context, { status: 501, code: "NotImplemented" });
    const key = call.query.get("prefix")!;
    const isStored = await exists(`${this.directory}/${this.bucket}/${key}._S3rver_object`);
    const entry = (name: string, id: string) =>
      `<${name}><Key>${key}</Key><VersionId>${id}</VersionId></${name}>`;
    context.type = "application/xml";
    context.body = "<ListVersionsResult>" +
      (isStored || this.kept.has(key) ? entry("Version", "v1") : "") +
      (this.kept.has(key) ? entry("DeleteMarker", "m1") : "") + "</ListVersionsResult>";
  }

  async #deleteVersion(context: Context, call: S3Call, next: () => Promise<void>): Promise<void> {
    const key = call.path.slice(this.bucket.length + 2);
    const isPlain = !call.query.has("versionId");
    context.url = context.url.split("?")[0]!;
    await next();
    if (isPlain) {
      this.kept.add(key);
      context.res.setHeader("x-amz-delete-marker", "true");
    } else this.kept.delete(key);
  }

  /**
   * Lists objects, and responds in the format of version 2 of the API. Asks s3rver in version 1, because
   * s3rver's pages of version 2 do not work on Deno.
   */
  async #listObjects(context: Context, call: S3Call, next: () => Promise<void>): Promise<void> {
    const query = new URLSearchParams({
      "encoding-type": "url",
      "max-keys": String(this.pageSize),
      prefix: call.query.get("prefix") ?? "",
      marker: call.query.get("continuation-token") ?? "",
    });
    context.url = `${context.url.split("?")[0]}?${query}`;
    await next();
    const last = context.body.match(/<Key>[^<]*<\/Key>/g)?.at(-1)?.slice(5, -6) ?? "";
    const token = `<NextContinuationToken>${decodeURIComponent(last)}</NextContinuationToken>`;
    context.body = context.body.replace("</ListBucketResult>", `${token}</ListBucketResult>`);
  }

  async #listUploads(context: Context, call: S3Call): Promise<void> {
    const uploads = await this.openUploads();
    const list = uploads.filter(({ key }) => key.startsWith(call.query.get("prefix") ?? ""))
      .map(({ key, uploadId }) =>
        `<Upload><Key>${encodeURIComponent(key)}</Key><UploadId>${uploadId}</UploadId></Upload>`
      );
    context.type = "application/xml";
    context.body = "<ListMultipartUploadsResult><EncodingType>url</EncodingType>" +
      `<IsTruncated>false</IsTruncated>${list.join("")}</ListMultipartUploadsResult>`;
  }
}

/**
 * Makes s3rver wait until a file is written. By itself, s3rver responds as soon as it has read the last byte,
 * which might not be in the file yet.
 */
function waitForFiles(store: Store): void {
  const [putObject, putPart] = [store.putObject.bind(store), store.putPart.bind(store)];
  store.putObject = async (object) => {
    const stored = await putObject(object);
    await grown(store.getResourcePath(object.bucket, object.key, "object"), stored.size);
    return stored;
  };
  store.putPart = async (bucket, uploadId, partNumber, content) => {
    const stored = await putPart(bucket, uploadId, partNumber, content);
    await grown(
      `${store.getResourcePath(bucket, undefined, "uploads")}/${uploadId}/${partNumber}`,
      stored.size,
    );
    return stored;
  };
}

async function grown(path: string, size: number): Promise<void> {
  while (!(await exists(path)) || (await Deno.stat(path)).size < size) await systemClock.sleep(1);
}

function answer(context: Context, fault: Exclude<S3Fault, string | null>): void {
  context.status = fault.status;
  if ("page" in fault) return void (context.body = fault.page);
  const { code, message = "" } = fault;
  context.type = "application/xml";
  context.body = `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
