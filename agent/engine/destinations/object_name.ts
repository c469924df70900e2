/** Names of objects inside a destination's directory, and of what they are called while they are written. */
import { RunFailedError } from "../ports.ts";

/** A single path segment that a file may have; anything else could lead out of the directory. */
export function checkObjectName(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw new RunFailedError(
      `Cannot use ${JSON.stringify(name)} as an object's name: it must be a file name`,
    );
  }
  return name;
}

/** Hidden, and ended so that no tool takes it for a backup. */
export function partialName(name: string): string {
  return `.${checkObjectName(name)}.partial`;
}

/** What reading an object to `wanted` bytes says of one that has only `there`. */
export function endsEarly(place: string, there: number, wanted: number): RunFailedError {
  return new RunFailedError(`Cannot read ${place}: it ends after ${there} bytes, ${wanted} were stored`);
}

/** @param directory May be `/`, or relative for SFTP. */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
