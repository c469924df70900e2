/**
 * Certificates for `localhost`, issued by a test authority with openssl: a valid one, and one for each
 * defect.
 */
import { shell } from "../fixtures/backup_run.ts";

export const CERTIFICATES = ["good", "wrong", "expired", "early", "self"] as const;
export type CertificateKind = typeof CERTIFICATES[number];

export interface Certificates extends AsyncDisposable {
  /**
   * The path of the authority's certificate. The authority issued all certificates but the self-signed one.
   */
  readonly authority: string;
  readonly directory: string;
  readonly pem: Readonly<Record<CertificateKind, { cert: string; key: string }>>;
}

export async function makeCertificates(): Promise<Certificates> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-certificates-" });
  await shell(
    `cd "$1" && chmod 755 . && exec 2>/dev/null
    new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl req -x509 $new -keyout ca.key -out ca.pem -days 20 -subj "/CN=A test's authority"
    make() {
      openssl req $new -keyout $1.key -out $1.csr -subj /CN=$1
      echo "subjectAltName=DNS:$2" >extensions
      # A faketime that was killed leaves a semaphore, and a later one with its process id fails.
      for try in 1 2 3; do
        faketime "$3" openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $1.pem -days 2 \\
          -extfile extensions && return
      done
      return 1
    }
    make good localhost now
    make wrong other.example.com now
    make expired localhost 2020-01-01
    make early localhost 2040-01-01
    openssl req -x509 $new -keyout self.key -out self.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \\
      -addext basicConstraints=critical,CA:FALSE`,
    directory,
  );
  const read = async (kind: CertificateKind) => ({
    cert: await Deno.readTextFile(`${directory}/${kind}.pem`),
    key: await Deno.readTextFile(`${directory}/${kind}.key`),
  });
  const pem = Object.fromEntries(
    await Promise.all(CERTIFICATES.map(async (kind) => [kind, await read(kind)])),
  );
  return {
    authority: `${directory}/ca.pem`,
    directory,
    pem,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
