/**
 * Backs up the control plane's own state. The control plane writes the state as SQL text, and an unmodified
 * `psql` loads the text into an empty database.
 */
import type { ControlPlaneSource } from "../../../../src/definitions/sources/control_plane.ts";
import type { RunContext } from "../../run_context.ts";
import { requireTools } from "../../programs/tools.ts";
import { checkClosing, DumpMessages } from "../database/dump_messages.ts";
import type { PreparedSource } from "../source.ts";

/** Last lines of the text that src/store/export/export.ts writes. */
export const CLOSING = /\ncommit;\n-- Rearguard export complete\n$/;
const LABEL = "the control plane";

export async function prepareControlPlane(
  _source: ControlPlaneSource,
  { children, ports }: RunContext,
): Promise<PreparedSource> {
  const tools = await requireTools(children, ["pzstd", "zstd"]);
  const messages = new DumpMessages("cat", ports.output);
  ports.output.line("Fetching the control plane's state from it");
  return {
    engine: "rearguard",
    tools,
    description: { type: "control_plane" },
    parts: [{
      label: LABEL,
      database: null,
      infix: null,
      extension: ".sql",
      command: { program: "cat", args: [] },
      input: () => ports.exported(ports.signal),
      streamDescriptor: 1,
      index: null,
      restore: "psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=DATABASE",
      message: (line) => messages.read(line),
      checkExit: (exit) => messages.check(exit, LABEL),
      checkEnd: ({ tail }) => checkClosing(LABEL, tail, CLOSING),
    }],
  };
}
