/** Follows a run and shows it to a person or a script. The exit code says whether the run succeeded. */
import type { Answer, Schema } from "../client/client.ts";
import type { Api, StreamOptions } from "./api.ts";
import type { Cli } from "./command_line.ts";
import { CommandError, EXIT } from "./command_error.ts";
import { followLog, type LogWatcher } from "./log_follower.ts";
import { progressLine, transferred } from "./progress.ts";

type Log = Schema<"BackupTaskLog">;
type Started = Pick<Answer<"/api/backup-tasks/{id}/run", "post">, "message" | "backup_task_log_id">;

/** Opens a stream of events. */
type OpenEvents = (action: string, options: StreamOptions) => Promise<Response>;

export function streamOf(api: Api, id: number): OpenEvents {
  return (action, options) => api.open(action, "/api/backup-task-logs/{id}/stream", options, { id });
}

export function latestStreamOf(api: Api, id: number): OpenEvents {
  return (action, options) => api.open(action, "/api/backup-tasks/{id}/latest-log/stream", options, { id });
}

/**
 * Follows a started run to its end if `follow` is true. If `follow` is false, prints that the run was
 * started.
 */
export async function showStarted(
  cli: Cli,
  started: Started,
  follow: boolean,
  stream = streamOf(cli.api, started.backup_task_log_id),
): Promise<void> {
  const runId = started.backup_task_log_id;
  if (follow) return await followRun(cli, runId, stream);
  cli.output.answer(started, () => {
    cli.terminal.write(`${started.message}\nFollow it with: rearguard logs show ${runId} --follow\n`);
  });
}

/**
 * Shows the run's output as it arrives. Resolves when the run has succeeded. Rejects if the run ends in
 * another state. With `--json`, shows only the run's record, after its end.
 */
export async function followRun(cli: Cli, runId: number, open: OpenEvents): Promise<void> {
  const { api, output, terminal } = cli;
  const action = `follow run ${runId}`;
  const interrupted = () => {
    terminal.printError(`Run ${runId} continues; follow it with: rearguard logs show ${runId} --follow`);
    Deno.exit(EXIT.interrupted);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  try {
    await followLog(
      runId,
      (lastEventId, signal) =>
        open(action, {
          headers: {
            accept: "text/event-stream",
            ...(lastEventId === null ? {} : { "last-event-id": lastEventId }),
          },
          signal,
        }),
      watcherOf(cli),
    );
  } finally {
    Deno.removeSignalListener("SIGINT", interrupted);
    terminal.status("");
  }
  const log = await api.get(action, "/api/backup-task-logs/{id}", { id: runId });
  output.answer(log, () => {});
  reportResult(cli, log.data);
}

function watcherOf({ output, terminal }: Cli): LogWatcher {
  return {
    output: (text) => output.isJson || terminal.print(text),
    state: ({ status, progress }) =>
      terminal.status(status === "queued" ? "Waiting for the agent…" : progressLine(progress)),
    lost: () => terminal.status("The connection is lost; trying again…"),
  };
}

/** Prints a success on standard output. For any other result, throws an error. */
function reportResult({ output, terminal }: Cli, log: Log): void {
  if (log.status !== "successful") {
    const reason = log.reason === null ? "" : `: ${log.reason}`;
    throw new CommandError(EXIT.failed, `Run ${log.id} ${outcome(log.status)}${reason}`);
  }
  if (output.isJson) return;
  const { bytes_read, bytes_written } = log.progress;
  const warnings = log.warnings_count === 0 ? "" : `, ${log.warnings_count} warnings`;
  const line = `Run ${log.id} succeeded: ${transferred(bytes_read, bytes_written)}`;
  terminal.write(`${terminal.paint("green", `${line}${warnings}`)}\n`);
}

function outcome(status: Log["status"]): string {
  return status === "cancelled" ? "was cancelled" : status === "failed" ? "failed" : `is ${status}`;
}
