/** Asserts that a running control plane and its agent reveal no secret. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CommandLines } from "./command_lines.ts";
import { everyRow } from "./contents.ts";
import type { ControlPlane } from "../servers/control_plane.ts";
import { KeptFiles } from "./kept_files.ts";

/** The agent's file with its own key. The key must be in no other file. */
const KEY_FILE = "key";
/**
 * The agent's work directory. During a run, it contains files (mode 0600) from which programs read a
 * database's password. After the run, it contains no such files.
 */
const WORK = "work";

export class Secrecy implements Disposable {
  readonly #commandLines = new CommandLines();
  readonly #kept: KeptFiles;

  /**
   * Starts to record command lines. All servers of the test must already be running: the test might start a
   * server with a password in its command line, and this command line would be recorded.
   */
  constructor(private readonly plane: ControlPlane, private readonly secrets: readonly string[]) {
    this.#kept = new KeptFiles(plane.agentStateDirectory, [KEY_FILE, WORK]);
  }

  /**
   * Fails if a secret is in a log, an API record, a database row, the agent's output or files, or a command
   * line.
   *
   * @param besides Additional texts to search, by their description.
   */
  async check(besides: Readonly<Record<string, string>> = {}): Promise<void> {
    const { api, agentOutput, agentStateDirectory, services } = this.plane;
    let outputs = "";
    for (const { id } of await all(api, "/backup-task-logs")) {
      outputs += (await api.call("GET", `/backup-task-logs/${id}`)).body.data.output;
    }
    assert.match(outputs, /Backup completed successfully/);
    const records = [
      ...await all(api, "/backup-tasks"),
      ...await all(api, "/backup-destinations"),
      ...await all(api, "/backups"),
    ];
    assert.match(agentOutput(), /connected/i);
    const commandLines = this.#commandLines.seen();
    assert.ok(
      commandLines.some((line) => /^\S*(tar|p?zstd|setpriv) /.test(line)),
      "No command line was seen",
    );
    const kept = this.#kept.seen();
    assert.match(kept, /"accepted"/, "No journal was seen");
    assertSecrecy([...this.plane.secrets, ...this.secrets], {
      outputs,
      records: JSON.stringify(records),
      rows: JSON.stringify(await everyRow(services.database)),
      "the agent's output": agentOutput(),
      "the agent's journals and state": kept,
      "the agent's work": await textsBelow(`${agentStateDirectory}/${WORK}`),
      "command lines": commandLines.join("\n"),
      ...besides,
    });
  }

  [Symbol.dispose](): void {
    this.#commandLines[Symbol.dispose]();
    this.#kept[Symbol.dispose]();
  }
}

/**
 * Asserts that none of the texts contains a secret in any encoding.
 *
 * @param texts The texts to search, by their description.
 */
export function assertSecrecy(secrets: readonly string[], texts: Readonly<Record<string, string>>): void {
  for (const [where, text] of Object.entries(texts)) {
    for (const [index, secret] of secrets.entries()) {
      for (const form of forms(secret)) {
        assert.ok(
          !text.includes(form),
          `Secret ${index}, of ${secret.length} characters, is in ${where}`,
        );
      }
    }
  }
}

/**
 * Returns the secret as it is, and as it appears when encoded: in JSON, in JSON within JSON, in a URL, in
 * base64 at any position, and in hex.
 */
function forms(secret: string): Set<string> {
  const inJson = JSON.stringify(secret).slice(1, -1);
  const bytes = new TextEncoder().encode(secret);
  // In base64, four characters hold three bytes. So the encoded text depends on whether the secret begins
  // at the first, second or third of three bytes. For each of these three cases, take only the characters
  // that do not depend on the bytes next to the secret.
  const base64 = [0, 1, 2].map((at) => {
    const text = Buffer.from([...new Uint8Array(at), ...bytes]).toString("base64").replace(/=+$/, "");
    return text.slice(at === 0 ? 0 : at + 1, -1);
  });
  const encoded = [...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
  return new Set([
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(bytes).toString("hex"),
    // Shorter texts are left out, because they may occur by chance.
    ...encoded.filter((text) => text.length >= 10),
  ]);
}

/** Returns the contents of every file below a directory, with one character for each byte. */
export async function textsBelow(directory: string): Promise<string> {
  let text = "";
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) text += await textsBelow(path);
    else if (isFile) {
      text += `${path}\n${Buffer.from(await Deno.readFile(path)).toString("latin1")}\n`;
    }
  }
  return text;
}

async function all(api: ControlPlane["api"], path: string): Promise<{ id: number }[]> {
  const found = [];
  for (let page = 1;; page++) {
    const { body } = await api.call("GET", `${path}?per_page=100&page=${page}`);
    found.push(...body.data);
    if (body.links.next === null) return found;
  }
}
