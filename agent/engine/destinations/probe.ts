/** Checks a destination with the same operations as a backup. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { CheckStep, DestinationCheckResult } from "../../../src/protocol/wire_messages.ts";
import { type Destination, RunAbortedError, RunFailedError } from "../ports.ts";
import { measureSpace } from "./space.ts";

const CONTENT = new TextEncoder().encode(
  "Rearguard wrote this to check the destination. It can be deleted.\n",
);

/**
 * Connects, then writes, reads back and deletes a probe object. Returns the steps. Stops if connecting fails.
 * If writing fails, does not read back, but still tries to remove the probe object. If no step fails, also
 * measures the space of the destination.
 */
export async function probe(
  open: () => Promise<Destination>,
  clock: Clock,
): Promise<DestinationCheckResult> {
  const name = `.rearguard-check-${crypto.randomUUID()}`;
  const steps: CheckStep[] = [];
  const step = async (title: string, work: () => Promise<string>): Promise<boolean> => {
    const started = clock.monotonic();
    const end = (ok: boolean, message: string) => {
      steps.push({ name: title, ok, message, ms: Math.round(clock.monotonic() - started) });
      return ok;
    };
    try {
      return end(true, await work());
    } catch (error) {
      if (error instanceof RunFailedError || error instanceof RunAbortedError) {
        return end(false, error.message);
      }
      throw error;
    }
  };

  let opened: Destination | undefined;
  await step("connect", async () => {
    opened = await open();
    return `Opened the ${opened.description}.`;
  });
  if (opened === undefined) return { ok: false, steps };
  const destination = opened;
  try {
    const isWritten = await step("write", async () => {
      const writer = await destination.create(name, CONTENT.length);
      try {
        await writer.write(CONTENT);
        await writer.commit();
      } catch (error) {
        // Close open files. If the object still exists afterwards, the next step tries to remove it and
        // reports a failure.
        await writer.abort().catch(() => {});
        throw error;
      }
      return `Wrote ${name}.`;
    });
    if (isWritten) {
      await step("read back", async () => {
        const content = await readAll(destination.read(name, 0, CONTENT.length));
        if (!isEqual(content, CONTENT)) {
          throw new RunFailedError("Cannot read the probe back: it is not what was written");
        }
        return `Read ${content.length} bytes back, as written.`;
      });
    }
    await step(isWritten ? "delete" : "clean up", async () => {
      await destination.remove(name);
      return isWritten ? `Deleted ${name}.` : `Removed ${name}.`;
    });
    const ok = steps.every((step) => step.ok);
    const space = ok ? await measureSpace(destination) : null;
    return { ok, steps, ...space === null ? {} : { space } };
  } finally {
    await destination.close();
  }
}

/** Returns all bytes of a small object. */
async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const copied: Uint8Array[] = [];
  for await (const chunk of chunks) copied.push(chunk.slice());
  return new Uint8Array(await new Blob(copied as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
