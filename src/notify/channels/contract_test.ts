/** Tests each channel against a test server for its type. A channel type without a fixture fails the test. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type ChannelFixture, channelFixtures } from "../../../tests/support/servers/channels.ts";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { loopback } from "../../../tests/support/servers/loopback.ts";
import { HttpReceiver, MailReceiver } from "../../../tests/support/servers/receivers.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { DeliveryError } from "../delivery_error.ts";
import { buildMessage } from "../build_message.ts";
import type { Message } from "../notification_message.ts";
import { Outgoing } from "../outgoing.ts";
import type { ChannelMeans } from "./channel.ts";
import { CHANNELS, NOTIFICATION_STREAM_TYPES } from "./registry.ts";

const EVENT: NotificationEvent = {
  event: "backup.failed",
  occurred_at: "2026-01-05T12:01:00Z",
  timezone: "Europe/Berlin",
  task: { id: 3, label: "Home", type: "files" },
  server: { id: 2, label: "web1" },
  run: {
    id: 12,
    kind: "backup",
    status: "failed",
    trigger: "schedule",
    was_lost: false,
    started_at: "2026-01-05T12:00:00Z",
    finished_at: "2026-01-05T12:01:00Z",
    warnings_count: 0,
  },
  backup: null,
  reason: "The source /data is empty.",
};

function message(changes: Partial<NotificationEvent> = {}): Message {
  return buildMessage("0b5b6c3e-2f0e-4c55-9a3b-8a2f6f0f6a11", { ...EVENT, ...changes });
}

/** Time limit in milliseconds, short so that a silent server is noticed soon. */
const TIMEOUT = 300;

function meansOf(fixture: ChannelFixture): ChannelMeans {
  return {
    outgoing: new Outgoing(new TestClock(), loopback, { timeoutMs: TIMEOUT }),
    smtp: null,
    addresses: { pushover: "http://127.0.0.1:1", telegram: "http://127.0.0.1:1" },
    signal: new AbortController().signal,
    ...fixture.means,
  };
}

for (const type of NOTIFICATION_STREAM_TYPES) {
  Deno.test(`${type}: the contract`, async (t) => {
    await using fixture = await channelFixtures[type]();
    const send = (what: Message) => CHANNELS[type].send(fixture.value, what, meansOf(fixture));
    const refusal = async () => {
      const error = await send(message()).then(() => null, (error) => error);
      assert.ok(error instanceof DeliveryError, `It was not refused: ${error}`);
      for (const secret of fixture.secrets) {
        assert.ok(!Deno.inspect(error).includes(secret), "the error tells a secret");
      }
      return error;
    };
    await t.step(
      "one message comes once, with what happened, where and when, why, and what to do",
      async () => {
        await send(message());
        const shown = fixture.shown();
        assert.equal(shown.length, 1);
        const { text } = shown[0]!;
        assert.match(text, /^Backup of Home failed\n/);
        assert.match(text, /^Reason: The source \/data is empty\.$/m);
        assert.match(text, /^Task: Home \(3\)$/m);
        assert.match(text, /^Server: web1 \(2\)$/m);
        assert.match(text, /^Ended at: 2026-01-05T13:01:00\+01:00$/m);
        assert.match(text, /^Read log 12, put right what it names, and run the task again\./m);
      },
    );
    await t.step("labels are escaped: they add no markup, mentions or headers", async () => {
      const label = "@everyone <!channel> <@U1> *b* _i_ ~s~ `c` [a](https://x.example) <b>&amp;</b> \\ #1";
      await send(message({ task: { id: 3, label: `${label}\r\nBcc: x@example.com`, type: "files" } }));
      const { text, raw } = fixture.shown().at(-1)!;
      assert.ok(text.startsWith(`Backup of ${label} Bcc:`), text);
      assert.doesNotMatch(raw, /^Bcc:/m);
    });
    await t.step("long messages are cut, but not their advice", async () => {
      const long = "x😀&<\\".repeat(2000);
      await send(message({
        task: { id: 3, label: long, type: "files" },
        server: { id: 2, label: long },
        backup: { id: 1, file_name: long, size: 123_456_789, created_at: EVENT.occurred_at },
        reason: long,
      }));
      assert.match(fixture.shown().at(-1)!.text, /Backups that were stored before are still there\.$/m);
    });
    await t.step("the error about a refusal does not contain the secret", async () => {
      fixture.refuse(500);
      assert.match((await refusal()).message, /It answered 500|refused the message \(554\)/);
    });
    const { http } = fixture;
    if (http === null) return;
    await t.step("a Retry-After is passed on", async () => {
      fixture.refuse(429, { "Retry-After": "7.5" });
      assert.equal((await refusal()).retryAfterMs, 7500);
      fixture.refuse(503, { "Retry-After": "Mon, 05 Jan 2026 12:10:00 GMT" });
      assert.equal((await refusal()).retryAfterMs, 600_000);
      fixture.refuse(429);
      assert.equal((await refusal()).retryAfterMs, null);
    });
    await t.step("a redirect is not followed", async () => {
      const before = http.received.length;
      fixture.refuse(307, { Location: `${http.url}/elsewhere` });
      assert.match((await refusal()).message, /^It answered with a redirect \(307\), which is not followed/);
      assert.equal(http.received.length, before + 1);
    });
    await t.step("silence and an endless response are cut off", async () => {
      const silence = Promise.withResolvers<Response>();
      http.answer = () => silence.promise;
      assert.equal((await refusal()).message, "It did not answer within 0.3 s");
      silence.resolve(new Response());
      // The time limit is long, so that only the amount of data ends the response.
      const outgoing = new Outgoing(new TestClock(), loopback, { timeoutMs: 60_000 });
      for (const status of [200, 500]) {
        const letGo = Promise.withResolvers<void>();
        const endless = new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1024).fill(120)),
          cancel: () => letGo.resolve(),
        });
        http.answer = () => new Response(endless, { status });
        const means = { ...meansOf(fixture), outgoing };
        const sent = CHANNELS[type].send(fixture.value, message(), means).then(() => 200, () => 500);
        const tooLong = Promise.withResolvers<never>();
        const timer = setTimeout(() => tooLong.reject(new Error("it is read for ever")), 20_000);
        assert.equal(await Promise.race([sent, tooLong.promise]), status);
        await letGo.promise;
        clearTimeout(timer);
      }
    });
  });
}

Deno.test("an error about an unreachable address does not contain it", async () => {
  const { port } = new URL(await closedAddress());
  const means = meansOf({ means: {} } as ChannelFixture);
  for (
    const [value, expected] of [
      [`http://127.0.0.1:${port}/s3cret`, "It refused the connection"],
      ["http://s3cret.invalid/s3cret", "Its host name can't be found"],
    ] as const
  ) {
    const error = await CHANNELS.webhook.send(value, message(), means).then(() => null, (error) => error);
    assert.ok(error instanceof DeliveryError);
    assert.ok(!Deno.inspect(error).includes("s3cret"));
    assert.match(
      error.message,
      expected === "It refused the connection" ? /^It refused/ : /^Its host|^It did not/,
    );
  }
});

async function closedAddress(): Promise<string> {
  await using receiver = new HttpReceiver();
  return receiver.url;
}

Deno.test("a signed webhook proves its sender and time, with the same body in every attempt", async () => {
  await using receiver = new HttpReceiver();
  const { body, headers } = await (async () => {
    const clock = new TestClock("2026-01-05T12:00:00Z");
    const bare = meansOf({ means: {} } as ChannelFixture);
    for (const signingSecret of ["a secret of a person's own", `whsec_${btoa("k".repeat(24))}`, null]) {
      const outgoing = new Outgoing(clock, loopback);
      await CHANNELS.webhook.send(receiver.url, message(), { ...bare, outgoing, signingSecret });
      await clock.advance(60_000);
    }
    return receiver.received[1]!;
  })();
  const timestamp = String(Date.parse("2026-01-05T12:01:00Z") / 1000);
  assert.deepEqual([headers.get("webhook-id"), headers.get("webhook-timestamp")], [body.id, timestamp]);
  // A receiver verifies the signature over the body's bytes. So the body must be exactly what
  // `JSON.stringify` returns.
  const signed = `${body.id}.${timestamp}.${JSON.stringify(body)}`;
  const expected = createHmac("sha256", "k".repeat(24)).update(signed).digest("base64");
  assert.equal(headers.get("webhook-signature"), `v1,${expected}`);
  assert.notEqual(receiver.received[0]!.headers.get("webhook-signature"), `v1,${expected}`);
  assert.equal(receiver.received[2]!.headers.get("webhook-signature"), null);
});

Deno.test("mail is sent to every address of a list, and reports refused recipients", async () => {
  await using mail = await MailReceiver.open();
  mail.refusedRecipients.push("gone@example.com");
  const smtp = { url: `smtp://${mail.address}`, from: "backups@example.com" };
  const means = { ...meansOf({ means: {} } as ChannelFixture), smtp };
  const list = "ops@example.com, gone@example.com; boss@example.com";
  const result = await CHANNELS.email.send(list, message(), means);
  assert.deepEqual(result, { note: "Sent, but the mail server refused gone@example.com." });
  assert.deepEqual(mail.received.map(({ to }) => to), [["ops@example.com", "boss@example.com"]]);
  await assert.rejects(
    async () => await CHANNELS.email.send("gone@example.com", message(), means),
    DeliveryError,
  );
});

Deno.test("an ntfy message goes to the server of its topic, with the login of its URL", async () => {
  await using receiver = new HttpReceiver();
  const means = meansOf({ means: {} } as ChannelFixture);
  const sent = async (login: string, topic = "/backups") => {
    await CHANNELS.ntfy.send(`${receiver.url.replace("//", `//${login}`)}${topic}`, message(), means);
    const { body, headers, path } = receiver.received.at(-1)!;
    return [path, body.topic, headers.get("authorization")];
  };
  assert.deepEqual(await sent(""), ["/", "backups", null]);
  assert.deepEqual(await sent(":tk_1@"), ["/", "backups", "Bearer tk_1"]);
  assert.deepEqual(await sent("me:p%40ss%C3%BC@"), ["/", "backups", "Basic bWU6cEBzc8O8"]);
  assert.deepEqual(await sent("", "/push/backups/"), ["/push/", "backups", null]);
});

Deno.test("a telegram message goes to the stream's topic", async () => {
  await using receiver = new HttpReceiver();
  const addresses = { telegram: receiver.url, pushover: receiver.url };
  const means = { ...meansOf({ means: {} } as ChannelFixture), addresses };
  await CHANNELS.telegram.send(`123456:${"x".repeat(35)}/-100123/45`, message(), means);
  const { body, path } = receiver.received[0]!;
  assert.deepEqual([body.chat_id, body.message_thread_id], ["-100123", 45]);
  assert.equal(path, `/bot123456:${"x".repeat(35)}/sendMessage`);
});

Deno.test("mail errors name the server's fault", async () => {
  const reason = async (smtp: ChannelMeans["smtp"]) => {
    const means = { ...meansOf({ means: {} } as ChannelFixture), smtp };
    const error = await CHANNELS.email.send("ops@example.com", message(), means).then(
      () => null,
      (error) => error,
    );
    assert.ok(error instanceof DeliveryError);
    assert.ok(!Deno.inspect(error).includes("hunter2"));
    return error.message;
  };
  await using mail = await MailReceiver.open({ user: "me", password: "right" });
  const from = "backups@example.com";
  assert.equal(await reason(null), "No mail server is set up: the operator sets SMTP_URL and SMTP_FROM");
  assert.equal(
    await reason({ url: `smtp://me:hunter2@${mail.address}`, from }),
    "The mail server refused the login (535): the operator checks SMTP_URL",
  );
  assert.match(await reason({ url: "smtp://127.0.0.1:1", from }), /^The mail server can't be reached/);
});
