import assert from "node:assert/strict";
import { AddressPolicy } from "./network/address_policy.ts";
import { DEFAULT_RUN_TIMES } from "./domain/run.ts";
import { ConfigError, readConfig } from "./config.ts";

const defaults = { localAgent: true, isRoot: false };

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment, defaults);
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.message;
  }
  throw new assert.AssertionError({ message: "The configuration was not refused" });
}

Deno.test("an empty environment gives the documented defaults", () => {
  assert.deepEqual(readConfig({}, defaults), {
    databaseUrl: null,
    dataDirectory: `${Deno.cwd()}/data`,
    host: "127.0.0.1",
    port: 8000,
    publicUrl: null,
    secretKeys: null,
    secretKeyFile: `${Deno.cwd()}/data/secret.key`,
    lostKeyIds: [],
    bootstrapToken: null,
    localAgent: true,
    logLevel: "info",
    messageInterval: 60_000,
    logFormat: "pretty",
    rateLimitPerMinute: 3000,
    authFailuresPerMinute: 30,
    trustedProxies: [],
    auditLogDays: 400,
    deleteDelayDays: 3,
    smtp: null,
    openid: null,
    updateUrl: null,
    addressPolicy: AddressPolicy.publicOnly,
    runTimes: {
      lease: 60_000,
      grace: 900_000,
      acceptance: 30_000,
      start: 86_400_000,
      cancel: 60_000,
      stallWarning: 900_000,
      stallTimeout: 21_600_000,
      lockWait: 1_800_000,
      overdue: 3_600_000,
      offline: 900_000,
    },
  });
});

Deno.test("the document about updates must be at an https URL", () => {
  const wrong = [
    "http://example.com/a",
    "example.com",
    "https://u:p@example.com/a",
    "https://example.com/#a",
  ];
  for (const url of wrong) assert.match(refusal({ UPDATE_URL: url }), /UPDATE_URL must be an https:\/\/ URL/);
});

Deno.test("durations of runs are given in seconds", () => {
  const { runTimes } = readConfig({ RUN_LEASE_SECONDS: "30", RUN_START_SECONDS: "3600" }, defaults);
  assert.equal(runTimes.lease, 30_000);
  assert.equal(runTimes.start, 3_600_000);
  assert.match(refusal({ RUN_GRACE_SECONDS: "0" }), /RUN_GRACE_SECONDS must be a whole number of seconds/);
});

Deno.test("root's default data directory is one that Postgres's user can reach", () => {
  assert.equal(readConfig({}, { ...defaults, isRoot: true }).dataDirectory, "/var/lib/rearguard");
  assert.equal(readConfig({ DATA_DIR: "/srv/x" }, { ...defaults, isRoot: true }).dataDirectory, "/srv/x");
});

Deno.test("every variable is read", () => {
  const config = readConfig({
    DATABASE_URL: "postgres://u:p@db.example.com/r",
    DATA_DIR: "/srv/rearguard",
    HOST: "[::1]",
    PORT: "0",
    PUBLIC_URL: "https://backup.example.com/",
    SECRET_KEY: `${"ab".repeat(32)},${btoa("k".repeat(32))}`,
    LOST_SECRET_KEYS: "0badc0de, 1a2b3c4d",
    BOOTSTRAP_TOKEN: "a-token-for-tests",
    LOCAL_AGENT: "0",
    LOG_LEVEL: "DEBUG",
    NOTIFICATION_INTERVAL_SECONDS: "5",
    LOG_FORMAT: "json",
    RATE_LIMIT_PER_MINUTE: "60",
    ALLOW_PRIVATE_ADDRESSES: "10.1.0.0/16, ::1",
    AUTH_FAILURES_PER_MINUTE: "5",
    TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8 192.0.2.1",
    AUDIT_LOG_DAYS: "0",
    DELETE_DELAY_DAYS: "14",
    SMTP_URL: "smtps://me:p%40ss@mail.example.com",
    SMTP_FROM: "Backups <backups@example.com>",
    UPDATE_URL: "https://example.com/rearguard/newest.json?channel=stable",
    OIDC_ISSUER: "https://sso.example.com/application/rearguard/",
    OIDC_CLIENT_ID: "rearguard",
    OIDC_CLIENT_SECRET_FILE: "/etc/rearguard/oidc.secret",
    OIDC_LABEL: "Example SSO",
    OIDC_SCOPES: "openid  email groups",
    OIDC_GROUPS_CLAIM: "roles",
    OIDC_ROLES: "ops=administrator, /team=b/dev=operator@3",
    OIDC_CREATE_USERS: "1",
  }, defaults);
  assert.deepEqual(config, {
    databaseUrl: "postgres://u:p@db.example.com/r",
    dataDirectory: "/srv/rearguard",
    host: "::1",
    port: 0,
    publicUrl: "https://backup.example.com",
    secretKeys: [new Uint8Array(32).fill(0xab), new Uint8Array(32).fill("k".charCodeAt(0))],
    secretKeyFile: "/srv/rearguard/secret.key",
    lostKeyIds: ["0badc0de", "1a2b3c4d"],
    bootstrapToken: "a-token-for-tests",
    localAgent: false,
    logLevel: "debug",
    messageInterval: 5_000,
    logFormat: "json",
    rateLimitPerMinute: 60,
    addressPolicy: AddressPolicy.parse("10.1.0.0/16,::1"),
    authFailuresPerMinute: 5,
    trustedProxies: ["10.0.0.0/8", "fd00::/8", "192.0.2.1"],
    auditLogDays: 0,
    deleteDelayDays: 14,
    smtp: { url: "smtps://me:p%40ss@mail.example.com", from: "Backups <backups@example.com>" },
    updateUrl: "https://example.com/rearguard/newest.json?channel=stable",
    openid: {
      issuer: "https://sso.example.com/application/rearguard/",
      clientId: "rearguard",
      clientSecretFile: "/etc/rearguard/oidc.secret",
      label: "Example SSO",
      scopes: "openid email groups",
      groupsClaim: "roles",
      grants: [
        { group: "ops", to: "administrator" },
        { group: "/team=b/dev", to: { role: "operator", workspaceId: 3 } },
      ],
      createsUsers: true,
    },
    runTimes: DEFAULT_RUN_TIMES,
  });
});

Deno.test("every bad value is named in one line", () => {
  const message = refusal({
    DATABASE_URL: "mysql://localhost/x",
    HOST: "not a host",
    PORT: "65536",
    PUBLIC_URL: "backup.example.com",
    SECRET_KEY: "short",
    BOOTSTRAP_TOKEN: "with space in it",
    LOCAL_AGENT: "maybe",
    LOG_LEVEL: "loud",
    LOG_FORMAT: "xml",
    RATE_LIMIT_PER_MINUTE: "-1",
    ALLOW_PRIVATE_ADDRESSES: "10.1",
  });
  for (
    const name
      of "DATABASE_URL HOST PORT PUBLIC_URL SECRET_KEY BOOTSTRAP_TOKEN LOCAL_AGENT LOG_LEVEL LOG_FORMAT ALLOW_PRIVATE_ADDRESSES"
        .split(" ")
  ) assert.match(message, new RegExp(`\\b${name} must be `));
  assert.match(message, /RATE_LIMIT_PER_MINUTE must be a whole number from 0 \(no limit\) to 1000000/);
  assert(!message.includes("\n"));
});

Deno.test("the first administrator's token must be too long to be guessed from its hash", () => {
  assert.match(
    refusal({ BOOTSTRAP_TOKEN: "fifteen-letters" }),
    /BOOTSTRAP_TOKEN must be 16 to 255 characters/,
  );
});

Deno.test("a refusal never shows a secret", () => {
  const message = refusal({
    DATABASE_URL: "mysql://root:hunter2@localhost",
    SECRET_KEY: "hunter2",
    BOOTSTRAP_TOKEN: "hunter2 !",
    PUBLIC_URL: "https://u:hunter2@x",
  });
  assert(!message.includes("hunter2"));
});

Deno.test("SMTP_URL and SMTP_FROM are set together, without options, and never shown in errors", () => {
  const from = "Backups <backups@example.com>";
  const url = "smtp://me:hunter2@mail.example.com:587";
  assert.deepEqual(readConfig({ SMTP_URL: url, SMTP_FROM: from }, defaults).smtp, { url, from });
  assert.match(refusal({ SMTP_URL: url }), /SMTP_URL and SMTP_FROM must be set together/);
  assert.match(refusal({ SMTP_FROM: from }), /SMTP_URL and SMTP_FROM must be set together/);
  for (const bad of ["mail.example.com", "https://me:hunter2@x", `${url}?tls.rejectUnauthorized=false`]) {
    const message = refusal({ SMTP_URL: bad, SMTP_FROM: from });
    assert.match(message, /SMTP_URL must be an smtp:\/\/ or smtps:\/\/ URL with a host$/);
    assert(!message.includes("hunter2"));
  }
  for (const bad of ["nobody", "a@b, c@d", "x <y>"]) {
    assert.match(refusal({ SMTP_URL: url, SMTP_FROM: bad }), /SMTP_FROM must be an email address/);
  }
});

Deno.test("an OpenID Connect provider needs https, a client, and the own public URL", () => {
  const own = { PUBLIC_URL: "https://backup.example.com", OIDC_CLIENT_ID: "c" };
  const known = readConfig({ ...own, OIDC_ISSUER: "https://sso.example.com" }, defaults).openid;
  assert.deepEqual([known?.label, known?.clientSecretFile, known?.grants], ["sso.example.com", null, []]);
  const local = readConfig({ ...own, OIDC_ISSUER: "http://127.0.0.1:8080/realms/a" }, defaults).openid;
  assert.equal(local?.issuer, "http://127.0.0.1:8080/realms/a");
  for (
    const bad of ["http://sso.example.com", "sso.example.com", "https://u:p@sso.example.com", "https://x/?q"]
  ) {
    assert.match(refusal({ ...own, OIDC_ISSUER: bad }), /OIDC_ISSUER must be /, bad);
  }
  const issuer = { OIDC_ISSUER: "https://sso.example.com" };
  assert.match(refusal(issuer), /OIDC_ISSUER and OIDC_CLIENT_ID must be set together/);
  assert.match(refusal({ ...issuer, OIDC_CLIENT_ID: "c" }), /OIDC_ISSUER needs PUBLIC_URL/);
  for (const bad of ["ops", "ops=root", "ops=manager", "ops=administrator@1", "=viewer@1", "a=viewer@1,"]) {
    assert.match(refusal({ ...own, ...issuer, OIDC_ROLES: bad }), /OIDC_ROLES must be entries/, bad);
  }
  assert.match(refusal({ ...own, ...issuer, OIDC_SCOPES: "email" }), /OIDC_SCOPES must be/);
});

Deno.test("SECRET_KEY and SECRET_KEY_FILE together are refused", () => {
  assert.match(
    refusal({ SECRET_KEY: "ab".repeat(32), SECRET_KEY_FILE: "/x" }),
    /SECRET_KEY and SECRET_KEY_FILE must not both be set/,
  );
});
