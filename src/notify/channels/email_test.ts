/** Tests mail servers with certificates that are not accepted. */
import assert from "node:assert/strict";
import { SMTPServer } from "smtp-server";
import { makeCertificates } from "../../../tests/support/servers/bad_certificates.ts";
import type { Message } from "../notification_message.ts";
import { DeliveryError } from "../delivery_error.ts";
import { email } from "./email.ts";
import type { ChannelMeans } from "./channel.ts";

const MESSAGE: Message = {
  id: "1",
  event: { name: "test" } as unknown as Message["event"],
  events: [],
  tone: "good",
  title: "A test",
  facts: [],
  next: null,
};

async function reason(url: string): Promise<string> {
  const means = { smtp: { url, from: "backups@example.com" }, signal: new AbortController().signal };
  const error = await email.send("ops@example.com", MESSAGE, means as ChannelMeans).then(
    () => assert.fail("nothing was thrown"),
    (error) => error,
  );
  assert(error instanceof DeliveryError, Deno.inspect(error));
  return error.message;
}

Deno.test("mail distinguishes expired from untrusted certificates, with and without STARTTLS", async () => {
  await using certificates = await makeCertificates();
  for (const secure of [true, false]) {
    for (
      const [kind, expected] of [
        ["expired", /^The mail server can't be reached safely: its certificate expired on 2020-01-03$/],
        ["early", /: its certificate is not valid before 2040-01-01/],
        ["good", /: its certificate can't be verified: its authority is not trusted here/],
      ] as const
    ) {
      const server = new SMTPServer({ secure, ...certificates.pem[kind], authOptional: true });
      server.on("error", () => {}); // clients that give up
      const listener = server.listen(0, "127.0.0.1");
      await new Promise((resolve) => listener.once("listening", resolve));
      const { port } = listener.address() as { port: number };
      const scheme = secure ? "smtps" : "smtp";
      const login = secure ? "" : "me:secret@";
      // With `smtp`, the URL contains a login for `localhost`, so the client does not require STARTTLS. The
      // client uses STARTTLS because the server offers it.
      assert.match(await reason(`${scheme}://${login}localhost:${port}`), expected, `${scheme} ${kind}`);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }
});
