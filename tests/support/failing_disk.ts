/** A disk that reports errors where files of a directory are read: `Deno.open` stands in for it, since no file system here can be told to. */

/** From now on, until it is disposed of, each read of such a file fails where `fails` says so. */
export function failingDisk(directory: string, fails: (path: string) => boolean): Disposable {
  const open = Deno.open;
  Deno.open = async (path, options) => {
    const file = await open(path, options);
    if (!String(path).startsWith(directory)) return file;
    const read = file.read.bind(file);
    file.read = (buffer) => fails(String(path)) ? Promise.reject(inputOutputError()) : read(buffer);
    return file;
  };
  return { [Symbol.dispose]: () => void (Deno.open = open) };
}

/** As Deno throws it. */
function inputOutputError(): Error {
  return Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
}
