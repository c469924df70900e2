/** Creates a certificate authority and a server's certificate, with openssl. */

export interface TestCertificate extends AsyncDisposable {
  readonly cert: string;
  readonly key: string;
  /** The path of the authority's certificate. */
  readonly authority: string;
}

export async function testCertificate(name: string): Promise<TestCertificate> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-certificate-" });
  const at = (file: string) => `${directory}/${file}`;
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-subj",
    "/CN=authority",
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.pem"),
  );
  await openssl("req", ...newKey, "-subj", "/CN=server", "-keyout", at("key.pem"), "-out", at("csr.pem"));
  await Deno.writeTextFile(at("extensions"), `subjectAltName=DNS:${name}\nbasicConstraints=CA:FALSE\n`);
  const signing = [
    "-CA",
    at("ca.pem"),
    "-CAkey",
    at("ca.key"),
    "-CAcreateserial",
    "-extfile",
    at("extensions"),
  ];
  await openssl("x509", "-req", "-in", at("csr.pem"), ...signing, "-out", at("cert.pem"));
  return {
    cert: await Deno.readTextFile(at("cert.pem")),
    key: await Deno.readTextFile(at("key.pem")),
    authority: at("ca.pem"),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
}
