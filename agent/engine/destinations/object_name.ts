/** Names of objects in a destination's directory, and the names of their partial files. */
import { RunFailedError } from "../ports.ts";

/**
 * Returns the name. Throws if the name is not a single path segment, because other names could lead out of
 * the directory.
 */
export function checkObjectName(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw new RunFailedError(
      `Cannot use ${JSON.stringify(name)} as an object's name: it must be a file name`,
    );
  }
  return name;
}

/**
 * Returns the name of an object's partial file. The leading dot hides the file. Because of the extension
 * `.partial`, no tool takes the file for a backup.
 */
export function partialName(name: string): string {
  return `.${checkObjectName(name)}.partial`;
}

/**
 * Returns the error for an object that is shorter than recorded.
 *
 * @param there Actual size of the object in bytes.
 * @param wanted Recorded number of bytes.
 */
export function endsEarly(place: string, there: number, wanted: number): RunFailedError {
  return new RunFailedError(`Cannot read ${place}: it ends after ${there} bytes, but ${wanted} were stored`);
}

/**
 * Returns the path of `name` in `directory`.
 *
 * @param directory Can be `/`. At SFTP destinations, it can also be a relative path.
 */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
