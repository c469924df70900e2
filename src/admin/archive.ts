/** Reads a stored export of the control plane. */
import { createHash } from "node:crypto";
import { type FoundManifest, objectPath } from "./manifests.ts";
import type { Passwords } from "./passwords.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { RecoveryError } from "./recovery_error.ts";

/** Reads the whole archive of an export. Returns what is wrong with it; null if it is intact. */
export async function archiveFault(
  repository: BackupRepository,
  found: FoundManifest,
): Promise<string | null> {
  const [archive] = found.manifest.objects.filter(({ role }) => role === "archive");
  if (archive === undefined) return "its manifest names no archive";
  const hash = createHash("sha256");
  let size = 0;
  try {
    for await (const chunk of await repository.read(objectPath(found, archive.name))) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    return `${archive.name} can't be read: ${(error as Error).message}`;
  }
  if (size !== archive.size) return `${archive.name} has ${size} bytes in place of ${archive.size}`;
  return hash.digest("hex") === archive.sha256 ? null : `${archive.name} has another SHA-256 than was stored`;
}

/** Yields the archive's lines. The archive is decrypted and decompressed as a stream. */
export async function* archiveLines(
  repository: BackupRepository,
  found: FoundManifest,
  passwords: Passwords,
): AsyncGenerator<string> {
  const { encryption, objects } = found.manifest;
  const archive = objects.find(({ role }) => role === "archive")!;
  const open = () => repository.read(objectPath(found, archive.name));
  let stream = await open();
  if (encryption !== null) {
    const isPassword = found.manifest.recipients === undefined;
    const password = isPassword ? await passwords.find(archive.name, open) : null;
    if (isPassword && password === null) {
      await stream.cancel();
      throw new RecoveryError(
        `Cannot decrypt ${archive.name}: no known password decrypts it. Put the password into ENCRYPTION_PASSWORDS, one on each line.`,
      );
    }
    stream = await passwords.decrypt(stream, password);
  }
  yield* linesOf(decompressed(stream));
}

/**
 * Decompresses with the program `zstd`, because node's decompressor stops at the skippable frames that pzstd
 * writes.
 */
async function* decompressed(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zstd = new Deno.Command("zstd", {
    args: ["--decompress", "--stdout", "--quiet"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const fed = stream.pipeTo(zstd.stdin).then(() => null, (error) => error as Error);
  const errorText = new Response(zstd.stderr).text();
  try {
    yield* zstd.stdout;
    const [error, { success }, text] = [await fed, await zstd.status, await errorText];
    if (error !== null) throw new RecoveryError(`Cannot read the export: ${error.message}`, { cause: error });
    if (!success) {
      throw new RecoveryError(`Cannot decompress the export: ${text.trim().replaceAll("\n", " ")}`);
    }
  } finally {
    endProgram(zstd);
    await zstd.status;
  }
}

function endProgram(program: Deno.ChildProcess): void {
  try {
    program.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
