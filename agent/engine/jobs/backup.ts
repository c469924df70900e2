/** Runs a backup job: reads the source and stores the objects. */
import {
  type BackupJob,
  jobOptions,
  type StoredBackup,
  type StoredObject,
} from "../../../src/protocol/job.ts";
import { frameTableText } from "../archive/archive_index.ts";
import { checkListing } from "../archive/check_listing.ts";
import { Children } from "../programs/children.ts";
import { measureSpace } from "../destinations/space.ts";
import { detectAnomalies, refuseEmpty } from "./guards.ts";
import { statsOf, unreadableCount } from "../manifest/stored_part.ts";
import { oneLine } from "../programs/line.ts";
import { manifest } from "../manifest/manifest.ts";
import type { StoredPart } from "../manifest/stored_part.ts";
import { encodeContents } from "../manifest/manifest_contents.ts";
import { objectName } from "../manifest/object_name.ts";
import { storeParts } from "./parts.ts";
import { streamPart } from "./pipeline.ts";
import { type Destination, RunAbortedError, RunFailedError, type RunPorts } from "../ports.ts";
import { formatBytes } from "../../../src/domain/byte_size.ts";
import { Progress } from "./progress.ts";
import type { RunContext } from "../run_context.ts";
import { RunObjects } from "./run_objects.ts";
import { prepareSource } from "../sources/registry.ts";
import type { SourcePart } from "../sources/source.ts";
import { userToRunAs } from "../programs/find_user.ts";
import { compressFile } from "../transforms/compress.ts";
import { FrameWatch, type StreamEnd } from "../transforms/frames.ts";

/**
 * Runs a backup job. Resolves once every object is committed. The manifest is committed last.
 *
 * Rejects with a `RunFailedError` if the backup fails. Rejects with the signal's reason if the signal aborts.
 * In both cases, every started program has ended. The written objects are removed. Objects that could not be
 * removed are in the error's `leftovers`.
 */
export async function runBackup(
  job: BackupJob,
  destination: Destination,
  ports: RunPorts,
): Promise<{ backup: StoredBackup; warningsCount: number }> {
  const warnings = countWarnings(ports);
  await using children = new Children(ports.clock, ports.signal);
  const progress = new Progress(warnings.ports, job.last);
  const reporting = new AbortController();
  let objects: RunObjects | null = null;
  try {
    const user = await userToRunAs(children, job.run_as);
    const context: RunContext = { job, options: jobOptions(job), ports: warnings.ports, children, user };
    objects = new RunObjects(context, destination, progress);
    progress.report(reporting.signal).catch((error) =>
      warnings.ports.output.line(`Progress stopped: ${error}`)
    );
    const backup = await store(context, destination, objects, progress, () => warnings.count);
    return { backup, warningsCount: warnings.count };
  } catch (error) {
    await children.terminate();
    throw failure(error, ports.signal, await objects?.removeAll() ?? []);
  } finally {
    reporting.abort();
  }
}

async function store(
  context: RunContext,
  destination: Destination,
  objects: RunObjects,
  progress: Progress,
  warningsCount: () => number,
): Promise<StoredBackup> {
  const { job, ports } = context;
  const startedAt = ports.clock.now();
  const started = ports.clock.monotonic();
  const source = await prepareSource(job.source, context);
  ports.output.line(`Using ${Object.entries(source.tools).map((tool) => tool.join(" ")).join(", ")}`);
  ports.output.line(`Writing to ${destination.description}`);
  objects.keys?.expect(filesToSeal(source.parts));
  const { stored: parts, missing } = await storeParts(
    source,
    context,
    objects,
    (part) => storePart(part, context, objects, progress),
  );
  const contents = new Map(
    parts.flatMap(({ archive, contents }) => contents ? [[archive.name, contents]] : []),
  );
  const unreadable = unreadableCount(parts);
  const stats = { ...statsOf(parts), duration_ms: Math.round(ports.clock.monotonic() - started) };
  const assessed = { ...stats, ...detectAnomalies(context, stats) };
  await storeManifest(
    objects,
    job,
    manifest({
      job,
      source,
      parts,
      missing,
      unreadable,
      assessed,
      contents: await encodeContents(contents, objects.keys),
      hostname: Deno.hostname(),
      startedAt,
      finishedAt: ports.clock.now(),
      warningsCount: warningsCount(),
    }),
  );
  const space = await measureSpace(destination);
  return {
    ...assessed,
    objects: [...objects.committed],
    engine: source.engine,
    encrypted: objects.keys !== null,
    tools: source.tools,
    duration_ms: Math.round(ports.clock.monotonic() - started),
    source: source.description,
    ...missing.length === 0 ? {} : { missing },
    ...unreadable === 0 ? {} : { unreadable_count: unreadable },
    ...space === null ? {} : { space },
  };
}

/** Returns the number of files to encrypt: the archives, the indexes, and the contents in the manifest. */
function filesToSeal(parts: readonly SourcePart[]): number {
  const indexes = parts.filter(({ index }) => index !== null).length;
  return parts.length + indexes + (parts.some(({ count }) => count !== undefined) ? 1 : 0);
}

async function storePart(
  part: SourcePart,
  context: RunContext,
  objects: RunObjects,
  progress: Progress,
): Promise<StoredPart> {
  const { job, ports, children } = context;
  const started = ports.clock.monotonic();
  await using _ready = await part.begin?.() ?? null;
  const object = await createObject(objects, "archive", job, part, `${part.extension}.zst`);
  const frames = new FrameWatch(object.direct?.path ?? null);
  const counting = await part.count?.() ?? null;
  const streaming = streamPart(
    withArguments(part, counting?.args ?? []),
    context,
    progress,
    async (chunk) => {
      frames.push(chunk);
      await Promise.all([object.write(chunk), counting?.push?.(chunk)]);
    },
    object.direct,
  );
  // If streaming fails, stop counting the contents. Otherwise the count would keep its snapshot open on the
  // database server.
  const filesCount = await streaming.catch(async (error) => {
    await counting?.end();
    throw error;
  });
  await part.ended?.();
  const [end, indexPath, contents] = await Promise.all([
    checkFrames(part, frames, children),
    part.index === null ? null : compressFile(part.index.path, children),
    counting?.end() ?? null,
    part.index === null ? null : checkListing(part.index.path, part.label, ports.output),
    object.settle(),
  ]);
  const archive = await object.commit();
  progress.finish(end.size);
  reportStored(ports, part.label, archive, ports.clock.monotonic() - started);
  const index = indexPath === null ? null : await storeIndex(part, indexPath, end, context, objects);
  const stored = {
    part,
    archive,
    index,
    bytesRead: end.size,
    incompressible: end.incompressible,
    filesCount,
    unreadable: part.unreadable?.() ?? 0,
    contents,
  };
  refuseEmpty(stored);
  return stored;
}

function withArguments(part: SourcePart, args: readonly string[]): SourcePart {
  const { command } = part;
  return args.length === 0 ? part : { ...part, command: { ...command, args: [...args, ...command.args] } };
}

async function checkFrames(part: SourcePart, frames: FrameWatch, children: Children): Promise<StreamEnd> {
  const head = part.checkHead === undefined ? null : frames.start(children);
  const [end] = await Promise.all([frames.end(children), head?.then((bytes) => part.checkHead!(bytes))]);
  part.checkEnd(end);
  return end;
}

async function storeIndex(
  part: SourcePart,
  indexPath: string,
  end: StreamEnd,
  context: RunContext,
  objects: RunObjects,
): Promise<StoredObject> {
  const started = context.ports.clock.monotonic();
  const object = await createObject(objects, "index", context.job, part, ".index.zst");
  const tablePath = `${context.ports.workDirectory}/frames`;
  await Deno.writeTextFile(tablePath, frameTableText(end.frames, end.size), { mode: 0o600 });
  for (const path of [indexPath, await compressFile(tablePath, context.children)]) {
    for await (const chunk of (await Deno.open(path)).readable) await object.write(chunk);
  }
  const stored = await object.commit();
  reportStored(context.ports, "its index", stored, context.ports.clock.monotonic() - started);
  return stored;
}

function createObject(
  objects: RunObjects,
  role: "archive" | "index",
  job: BackupJob,
  part: SourcePart,
  extension: string,
) {
  return objects.create({
    role,
    name: objectName(job, part.infix, objects.keys === null ? extension : `${extension}.age`),
    database: part.database,
    sizeHint: role === "archive" ? job.last?.size ?? null : null,
    isSecret: true,
  });
}

async function storeManifest(objects: RunObjects, job: BackupJob, content: Uint8Array): Promise<void> {
  const name = objectName(job, null, ".manifest.json");
  const object = await objects.create({
    role: "manifest",
    name,
    database: null,
    sizeHint: content.length,
    isSecret: false,
  });
  await object.write(content);
  await object.commit();
}

function reportStored(ports: RunPorts, what: string, { name, size, sha256 }: StoredObject, ms: number): void {
  const seconds = (ms / 1000).toFixed(1);
  ports.output.line(
    `Stored ${what} as ${name}: ${size} bytes (${formatBytes(size)}), SHA-256 ${sha256}, in ${seconds} s`,
  );
}

function countWarnings(ports: RunPorts): { ports: RunPorts; readonly count: number } {
  const { clock, signal, workDirectory, uploads, downloads, output } = ports;
  const counted = { count: 0 };
  return Object.assign(counted, {
    ports: {
      clock,
      signal,
      workDirectory,
      uploads,
      downloads,
      relay: ports.relay,
      exported: (signal) => ports.exported(signal),
      progress: (stats) => ports.progress(stats),
      opening: (name, path) => ports.opening(name, path),
      scratch: (path) => ports.scratch(path),
      output: {
        line: (text) => output.line(text),
        warning: (text) => {
          counted.count++;
          output.warning(text);
        },
      },
    } satisfies RunPorts,
  });
}

function failure(error: unknown, signal: AbortSignal, leftovers: string[]): unknown {
  const reason = signal.aborted ? signal.reason : error;
  if (reason instanceof RunAbortedError || reason instanceof RunFailedError) {
    reason.leftovers.push(...leftovers);
    return reason;
  }
  const failed = new RunFailedError(oneLine(reason instanceof Error ? reason.message : String(reason)), {
    cause: reason,
  });
  failed.leftovers = leftovers;
  return failed;
}
