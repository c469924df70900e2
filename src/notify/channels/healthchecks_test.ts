import assert from "node:assert/strict";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { HttpReceiver } from "../../../tests/support/servers/receivers.ts";
import type { NotificationEventName } from "../../domain/notifications/event_classes.ts";
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { AddressPolicy } from "../../network/address_policy.ts";
import { Network } from "../../network/network.ts";
import { buildMessage } from "../build_message.ts";
import { DeliveryError } from "../delivery_error.ts";
import { Outgoing } from "../outgoing.ts";
import { healthchecks } from "./healthchecks.ts";

/** A network in which every host name leads to this machine. */
const network = new Network(
  AddressPolicy.parse("127.0.0.0/8")!,
  (_, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
);

async function ping(value: string, event: NotificationEventName, changes: Partial<NotificationEvent> = {}) {
  const message = buildMessage("0b5b6c3e-2f0e-4c55-9a3b-8a2f6f0f6a11", {
    event,
    occurred_at: "2026-01-05T12:01:00Z",
    timezone: "UTC",
    task: event === "test" ? null : { id: 3, label: "Home", type: "files" },
    server: null,
    run: event === "test" ? null : {
      id: 300,
      kind: "backup",
      status: event === "backup.started" ? "running" : "successful",
      trigger: "schedule",
      was_lost: false,
      started_at: "2026-01-05T12:00:00Z",
      finished_at: event === "backup.started" ? null : "2026-01-05T12:01:00Z",
      warnings_count: 0,
    },
    backup: null,
    reason: null,
    ...changes,
  });
  await healthchecks.send(value, message, {
    outgoing: new Outgoing(new TestClock(), network),
    smtp: null,
    addresses: {},
    signal: new AbortController().signal,
  });
}

async function pingAll(value: string) {
  await ping(value, "backup.started");
  await ping(value, "backup.succeeded");
  await ping(value, "backup.failed", { reason: "No space & no hope." });
  await ping(value, "backup.lost");
  await ping(value, "test");
  await ping(value, "backup.damaged");
}

Deno.test("Healthchecks is pinged with the step, the reason and the same id for each ping of a run", async () => {
  await using receiver = new HttpReceiver();
  await pingAll(`${receiver.url}/ping/my-uuid/?create=1`);
  assert.deepEqual(receiver.received.map(({ method, path }) => [method, path]), [
    ["POST", "/ping/my-uuid/start"],
    ["POST", "/ping/my-uuid"],
    ["POST", "/ping/my-uuid/fail"],
    ["POST", "/ping/my-uuid/fail"],
    ["POST", "/ping/my-uuid/log"],
  ]);
  const rid = "00000000-0000-8000-8000-00000000012c";
  assert.deepEqual(receiver.received.map(({ query }) => query.get("rid")), [rid, rid, rid, rid, null]);
  assert.ok(receiver.received.every(({ query }) => query.get("create") === "1"));
  assert.match(receiver.received[2]!.body, /^Backup of Home failed\nReason: No space & no hope\.$/m);
});

Deno.test("Uptime Kuma is pushed the end of each run and its duration, but no start", async () => {
  await using receiver = new HttpReceiver();
  const value = `${receiver.url}/api/push/t0ken?status=up&msg=OK&ping=`;
  await pingAll(value);
  assert.deepEqual(receiver.received.map(({ method, path, query }) => [method, path, ...query.values()]), [
    ["GET", "/api/push/t0ken", "up", "Backup of Home succeeded", "60000"],
    ["GET", "/api/push/t0ken", "down", "Backup of Home failed: No space & no hope.", "60000"],
    ["GET", "/api/push/t0ken", "down", "Backup of Home is lost: its agent is silent", "60000"],
    ["GET", "/api/push/t0ken", "up", "This is a test from Rearguard", ""],
  ]);
  receiver.answer = () =>
    Response.json({ ok: false, msg: "Monitor not found or not active." }, { status: 404 });
  await assert.rejects(
    () => ping(value, "backup.succeeded"),
    new DeliveryError("It answered 404: its monitor is not found or not active"),
  );
});

Deno.test("Uptime Kuma gets no duration that it would refuse", async () => {
  await using receiver = new HttpReceiver();
  const run = {
    id: 1,
    kind: "backup" as const,
    status: "successful" as const,
    trigger: "manual" as const,
    was_lost: false,
    warnings_count: 0,
    finished_at: "2026-01-05T12:00:00Z",
  };
  for (const started_at of ["2026-01-03T12:00:00Z", "2026-01-05T12:00:01Z", null]) {
    await ping(`${receiver.url}/api/push/t0ken`, "backup.succeeded", { run: { ...run, started_at } });
  }
  assert.deepEqual(receiver.received.map(({ query }) => query.get("ping")), ["", "", ""]);
});

Deno.test("Cronitor is sent the state, with a series for each run and a message of limited length", async () => {
  await using receiver = new HttpReceiver();
  const value = `${receiver.url.replace("127.0.0.1", "cronitor.link")}/p/k3y/home?env=live`;
  await pingAll(value);
  assert.deepEqual(receiver.received.map(({ method, path, query }) => [method, path, ...query.values()]), [
    ["GET", "/p/k3y/home", "live", "run", "Backup of Home started", "rearguard-300"],
    ["GET", "/p/k3y/home", "live", "complete", "Backup of Home succeeded", "rearguard-300"],
    ["GET", "/p/k3y/home", "live", "fail", "Backup of Home failed: No space & no hope.", "rearguard-300"],
    ["GET", "/p/k3y/home", "live", "fail", "Backup of Home is lost: its agent is silent", "rearguard-300"],
    ["GET", "/p/k3y/home", "live", "ok", "This is a test from Rearguard"],
  ]);
  await ping(value, "backup.failed", { reason: "漢".repeat(3000) });
  assert.equal(receiver.received.at(-1)!.query.get("message")!.length, 500);
});
