import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { ageKeygen } from "../../../tests/support/fixtures/age.ts";
import { recipientProblem } from "./age_recipients.ts";

Deno.test("a public key is taken as age-keygen prints it, and no other way", async () => {
  const { recipient, identity } = await ageKeygen();
  assert.equal(recipientProblem(recipient), null);
  assert.equal(recipientProblem(await identityToRecipient(await generateHybridIdentity())), null);
  const replaced = recipient.slice(0, 20) + (recipient[20] === "q" ? "p" : "q") + recipient.slice(21);
  for (
    const bad of [
      replaced,
      recipient.slice(0, -1),
      `${recipient}q`,
      recipient.toUpperCase(),
      "age1",
      "ssh-ed25519 AAAA",
      "",
    ]
  ) {
    assert.match(recipientProblem(bad)!, /must be an age public key/, bad);
  }
  const secret = identity.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"))!;
  for (const form of [secret, secret.toLowerCase()]) {
    assert.match(recipientProblem(form)!, /^holds a secret key/);
  }
});
