/**
 * Checks that a stored stream ends as its format requires. The source made the same check during the backup.
 */
import { RunFailedError } from "../ports.ts";
import type { Children } from "../programs/children.ts";
import type { FrameWatch } from "../transforms/frames.ts";
import { typesByName } from "./registry.ts";
import type { PartEnd } from "./source.ts";
import type { StreamFormat } from "./source_type.ts";

/**
 * Returns the format of a stored object, from its name: `tar`, `sql` or `dump`. Returns "" if the name
 * contains no format.
 */
export function formatOf(name: string): string {
  return /\.(\w+)\.zst(?:\.age)?$/.exec(name)?.[1] ?? "";
}

/**
 * Checks the stream of an object. If the stream is incomplete, rejects with a `RunFailedError` that says what
 * is missing. If the source type is unknown, the stream must be valid for at least one of the source types
 * that use the object's format.
 *
 * @param watch The watch that has seen the compressed frames of the whole stream.
 * @param sourceType Source type in the manifest; null if it is unknown.
 */
export async function checkStoredEnd(
  object: { name: string; database: string | null },
  sourceType: string | null,
  watch: FrameWatch,
  end: PartEnd,
  children: Children,
): Promise<void> {
  const label = object.database === null ? object.name : `database ${object.database}`;
  const extension = formatOf(object.name);
  const type = typesByName.get(sourceType ?? "");
  const candidates = type === undefined ? [...typesByName.values()] : [type];
  const formats = candidates.flatMap((each) => each.formats[extension] ?? []);
  const head = formats.some(({ checkHead }) => checkHead !== undefined)
    ? await watch.start(children)
    : new Uint8Array();
  let fault: unknown = null;
  for (const format of formats) {
    fault = faultOf(format, label, head, end);
    if (fault === null) return;
  }
  if (fault !== null) throw fault;
}

function faultOf(format: StreamFormat, label: string, head: Uint8Array, end: PartEnd): RunFailedError | null {
  try {
    format.checkHead?.(label, head);
    format.checkEnd?.(label, end, head);
    return null;
  } catch (error) {
    if (error instanceof RunFailedError) return error;
    throw error;
  }
}
