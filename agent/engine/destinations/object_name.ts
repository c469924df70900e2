/** Names of objects in a destination's directory, and their names while they are being written. */
import { RunFailedError } from "../ports.ts";

/**
 * Returns the name. Throws unless it is a single path segment: other names could lead out of the directory.
 */
export function checkObjectName(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw new RunFailedError(
      `Cannot use ${JSON.stringify(name)} as an object's name: it must be a file name`,
    );
  }
  return name;
}

/** Returns the name of a partial file: hidden, and with an extension that no tool takes for a backup. */
export function partialName(name: string): string {
  return `.${checkObjectName(name)}.partial`;
}

/**
 * Returns the error for an object that is shorter than recorded.
 *
 * @param there Bytes that the object has.
 * @param wanted Bytes that were stored.
 */
export function endsEarly(place: string, there: number, wanted: number): RunFailedError {
  return new RunFailedError(`Cannot read ${place}: it ends after ${there} bytes, but ${wanted} were stored`);
}

/** @param directory May be `/`, or relative for SFTP. */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
