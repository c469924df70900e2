/** Holds a control plane and its agent to telling no secret, while they are at work. */
import assert from "node:assert/strict";
import { CommandLines } from "./command_lines.ts";
import type { ControlPlane } from "./control_plane.ts";

export class Secrecy implements Disposable {
  readonly #commandLines = new CommandLines();

  /** Made once everything is started: what tests do to start it may show its passwords. */
  constructor(private readonly plane: ControlPlane, private readonly secrets: readonly string[]) {}

  /** Fails where a secret is in any log, in any record, in what the agent printed or in a command line. */
  async check(): Promise<void> {
    const { api, secrets, agentOutput } = this.plane;
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
    const told = {
      outputs,
      records: JSON.stringify(records),
      agent: agentOutput(),
      commands: commandLines.join("\n"),
    };
    for (const [where, text] of Object.entries(told)) {
      for (const secret of [...secrets, ...this.secrets]) {
        for (const form of forms(secret)) {
          assert.ok(!text.includes(form), `A secret of ${secret.length} characters is in ${where}`);
        }
      }
    }
  }

  [Symbol.dispose](): void {
    this.#commandLines[Symbol.dispose]();
  }
}

/** As it is, and as it would stand in JSON or in a URL. */
function forms(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

async function all(api: ControlPlane["api"], path: string): Promise<{ id: number }[]> {
  const found = [];
  for (let page = 1;; page++) {
    const { body } = await api.call("GET", `${path}?per_page=100&page=${page}`);
    found.push(...body.data);
    if (body.links.next === null) return found;
  }
}
