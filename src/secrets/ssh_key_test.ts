import assert from "node:assert/strict";
import { generateSshKey } from "./ssh_key.ts";

Deno.test("OpenSSH reads the private key, derives the public one from it, and signs with it", async () => {
  const { publicKey, privateKey } = generateSshKey("rearguard");
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/key`;
    await Deno.writeTextFile(file, privateKey, { mode: 0o600 });
    assert.equal(await sshKeygen("-y", "-f", file), publicKey);
    await Deno.writeTextFile(`${directory}/text`, "text");
    await sshKeygen("-Y", "sign", "-q", "-f", file, "-n", "test", `${directory}/text`);
    assert.match(await Deno.readTextFile(`${directory}/text.sig`), /BEGIN SSH SIGNATURE/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("no two keys are the same", () => {
  assert.notEqual(generateSshKey("a").publicKey, generateSshKey("a").publicKey);
});

async function sshKeygen(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("ssh-keygen", { args, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}
