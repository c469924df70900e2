/**
 * Reads the Deno permissions from the command lines with which users start the programs. Tests run the
 * programs with exactly these permissions.
 */
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/**
 * Returns the words of a task's command in deno.json, up to and including the program. Leaves out the options
 * after the program.
 */
export function taskCommand(task: "start" | "admin" | "cli"): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
  return /^deno run .*? \S+\.ts\b/.exec(tasks[task].command)![0].split(" ");
}

/** Returns the permissions of a task in deno.json. */
export function rightsOf(task: "start" | "admin" | "cli"): string[] {
  return taskCommand(task).slice(2, -1);
}

/**
 * Returns the permissions in systemd/rearguard.service, with the paths of this checkout and of this data
 * directory.
 */
export function unitRights(dataDirectory: string): string[] {
  const unit = Deno.readTextFileSync(`${PROJECT}/systemd/rearguard.service`);
  const command = /^ExecStart=\/usr\/local\/bin\/deno run (.*) main\.ts$/m.exec(unit)![1]!;
  return command.replaceAll("/opt/rearguard", PROJECT).replaceAll("/var/lib/rearguard", dataDirectory)
    .replaceAll("/usr/local/bin/deno", Deno.execPath()).split(" ");
}

/**
 * Returns the permissions in deploy/compose.yaml, with the paths of this checkout and of this data directory.
 */
export function containerRights(dataDirectory: string): string[] {
  const file = parse(Deno.readTextFileSync(`${PROJECT}/deploy/compose.yaml`), { merge: true });
  const [, ...words]: string[] = file.services["control-plane-1"].command;
  return words.slice(0, -1).map((word) =>
    word.replaceAll("/app", PROJECT).replaceAll("/data", dataDirectory).replaceAll(
      "/usr/bin/deno",
      Deno.execPath(),
    )
  );
}
