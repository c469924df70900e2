import assert from "node:assert/strict";
import ssh2 from "ssh2";
import { PrivateKeyError, usablePrivateKey } from "./private_key.ts";

const PASSPHRASE = "päss phrase";

async function program(name: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(name, { args, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/**
 * Formats of keys. For each format: the command that makes a key, with `$` for the key's file, and whether
 * the key has a passphrase.
 */
const KEYS: Record<string, [command: string[], isLocked: boolean]> = {
  "OpenSSH, Ed25519": [["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "$"], false],
  "OpenSSH, Ed25519, locked": [["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", "$"], true],
  "OpenSSH, RSA, locked": [
    ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", PASSPHRASE, "-f", "$"],
    true,
  ],
  "OpenSSH, ECDSA, locked": [["ssh-keygen", "-q", "-t", "ecdsa", "-N", PASSPHRASE, "-f", "$"], true],
  "PEM, RSA": [["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", "$"], false],
  "PEM, RSA, locked": [
    ["openssl", "genrsa", "-aes256", "-traditional", "-passout", `pass:${PASSPHRASE}`, "-out", "$", "2048"],
    true,
  ],
  "PKCS#8, RSA": [["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f", "$"], false],
  "PKCS#8, ECDSA, locked": [
    ["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PKCS8", "-N", PASSPHRASE, "-f", "$"],
    true,
  ],
  "PKCS#8, Ed25519": [["openssl", "genpkey", "-algorithm", "ed25519", "-out", "$"], false],
  "PKCS#8, Ed25519, locked": [
    ["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", `pass:${PASSPHRASE}`, "-out", "$"],
    true,
  ],
};

Deno.test("every ECDSA key of OpenSSH can sign, whatever its private number's first byte is", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (const [bits, count] of [[256, 12], [384, 6]] as const) {
      for (let index = 0; index < count; index++) {
        const file = `${directory}/${bits}-${index}`;
        await program("ssh-keygen", "-q", "-t", "ecdsa", "-b", String(bits), "-N", "", "-f", file);
        const parsed = ssh2.utils.parseKey(await usablePrivateKey(await Deno.readTextFile(file), null));
        assert.ok(!(parsed instanceof Error), (parsed as Error).message);
        const key = Array.isArray(parsed) ? parsed[0]! : parsed;
        const signature = key.sign("data");
        assert.ok(!(signature instanceof Error), (signature as Error).message);
        const shown = (await Deno.readTextFile(`${file}.pub`)).split(" ")[1];
        assert.equal(key.getPublicSSH().toString("base64"), shown);
      }
    }
    for (const format of [[], ["-m", "PEM"], ["-m", "PKCS8"]]) {
      const file = `${directory}/521${format.join("")}`;
      await program("ssh-keygen", "-q", "-t", "ecdsa", "-b", "521", ...format, "-N", "", "-f", file);
      const text = await Deno.readTextFile(file);
      await assert.rejects(usablePrivateKey(text, null), { message: /521 bits\. Use Ed25519/ });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

for (const [name, [[tool, ...args], isLocked]] of Object.entries(KEYS)) {
  Deno.test(`a key in ${name} is one that the agent reads, and the same one`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const file = `${directory}/key`;
      await program(tool!, ...args.map((arg) => arg === "$" ? file : arg));
      const text = await Deno.readTextFile(file);
      const usable = await usablePrivateKey(text, isLocked ? PASSPHRASE : null);
      const parsed = ssh2.utils.parseKey(usable);
      assert.ok(!(parsed instanceof Error), (parsed as Error).message);
      // A text that needs no conversion stays unchanged, including the key's comment.
      if (/^OpenSSH, Ed25519$|^PEM, RSA$/.test(name)) assert.equal(usable, text);
      const shown = (await Deno.readTextFile(`${file}.pub`).catch(() => null))?.split(" ")[1];
      const key = Array.isArray(parsed) ? parsed[0]! : parsed;
      if (shown !== undefined) assert.equal(key.getPublicSSH().toString("base64"), shown);
      await Deno.writeTextFile(`${directory}/again`, usable, { mode: 0o600 });
      await program("ssh-keygen", "-y", "-P", "", "-f", `${directory}/again`);
      if (!isLocked) return;
      const refusal = async (passphrase: string | null) => {
        const error = await usablePrivateKey(text, passphrase).then(() => null, (error) => error);
        assert.ok(error instanceof PrivateKeyError, Deno.inspect(error));
        return error;
      };
      assert.match((await refusal(null)).message, /protected by a passphrase/);
      // With CBC, one in 256 wrong passphrases yields valid padding. OpenSSL then reports a damaged key, not
      // a wrong passphrase. So one of the three refusals is allowed to differ.
      const wrong = [await refusal("another"), await refusal("a third"), await refusal("a fourth")];
      const refusals = wrong.map(({ isPassphrase, message }) => `${isPassphrase}: ${message}`);
      assert.ok(
        refusals.filter((each) => each === "true: does not open the private key.").length >= 2,
        refusals.join("\n"),
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("text that is not a key, and a key of a kind that SSH does not use, are refused", async () => {
  const broken = "-----BEGIN PRIVATE KEY-----\nbm90aGluZw==\n-----END PRIVATE KEY-----\n";
  await assert.rejects(usablePrivateKey(broken, null), /can't be read as a key/);
  const x448 = await program("openssl", "genpkey", "-algorithm", "x448");
  await assert.rejects(usablePrivateKey(x448, null), /kind that SSH does not use|can't be read/);
});
