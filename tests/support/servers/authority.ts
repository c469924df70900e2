/**
 * Creates a certificate authority that no program trusts by default. The authority signs a certificate for
 * `localhost`.
 */
import { shell } from "../fixtures/backup_run.ts";

export interface Authority extends AsyncDisposable {
  /** The path of the authority's certificate. */
  readonly file: string;
  /** The server's certificate for localhost, and its key, in PEM. */
  readonly cert: string;
  readonly key: string;
}

export async function makeAuthority(): Promise<Authority> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-authority-" });
  await shell(
    `cd "$1" && exec 2>/dev/null
    new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj "/CN=A test's authority"
    openssl req $new -keyout key.pem -out request.pem -subj /CN=localhost
    echo subjectAltName=DNS:localhost >extensions
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile extensions`,
    directory,
  );
  return {
    file: `${directory}/ca.pem`,
    cert: await Deno.readTextFile(`${directory}/cert.pem`),
    key: await Deno.readTextFile(`${directory}/key.pem`),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
