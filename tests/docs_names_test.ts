/**
 * Checks the names in the documentation: each field, endpoint, flag, environment variable, event and metric
 * must exist.
 */
import assert from "node:assert/strict";
import type { Command } from "commander";
import { rearguard } from "../src/cli/program.ts";
import { RELEASE } from "../src/domain/release.ts";
import { NOTIFICATION_EVENTS } from "../src/domain/notifications/event_classes.ts";
import { openapiDocument } from "../src/http/openapi.ts";
import { ENDPOINTS, GROUPS } from "../src/http/routes.ts";
import { blocksOf, codeSpansOf, projectFiles, proseOf, readDocument } from "./support/fixtures/documents.ts";

const FILES = await projectFiles();
const DOCUMENTS = FILES.filter((path) => path.endsWith(".md") && !path.startsWith("tests/"));
/** The pages for users of Rearguard. The names on these pages are checked. */
const PAGES = DOCUMENTS.filter((path) => /^(README\.md|docs\/(guide|operate|recover)\/)/.test(path));
const TEXTS = new Map(
  await Promise.all(DOCUMENTS.map(async (path) => [path, await readDocument(path)] as const)),
);

// deno-lint-ignore no-explicit-any
const API: any = JSON.parse(JSON.stringify(openapiDocument(ENDPOINTS, GROUPS, null, RELEASE)));

/** Returns `page: problem` for each unknown name on a page. `names` finds the names in a text. */
function unknownNames(
  names: (text: string) => Iterable<string>,
  isKnown: (name: string) => boolean,
): string[] {
  return PAGES.flatMap((page) =>
    [...new Set(names(TEXTS.get(page)!))].filter((name) => !isKnown(name)).map((name) => `${page}: ${name}`)
  );
}

/** Returns the texts of a document's code spans and of its blocks of commands and JSON. */
function codeOf(text: string): string[] {
  const blocks = blocksOf(text).filter(({ language }) => ["sh", "json"].includes(language));
  return [...codeSpansOf(proseOf(text)), ...blocks.map((block) => block.text)];
}

/**
 * Names with underscores that are not fields of the API: names in other programs, in examples and in log
 * lines.
 */
const FOREIGN = new Set(
  ("quick_check integrity_check foreign_key_check user_version journal_mode " +
    "pg_dump pg_dumpall pg_restore pg_cron pg_blocking_pids pg_read_all_data max_allowed_packet synchronous_commit full_page_writes " +
    "synchronous_standby_names synchronous_mode target_session_attrs pool_mode default_pool_size ignore_startup_parameters " +
    "tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count client_max_body_size " +
    "proxy_request_buffering least_conn request_id shop_copy shop_owner shop_rearguard_fresh shop_rearguard_drill " +
    "shop_rearguard_replaced _rearguard_ utf8mb4_general_ci node_modules encryption_pasword task_id trace_id " +
    "email_verified auth_time")
    .split(" "),
);

/** Returns the names of all properties, parameters and enum values in the OpenAPI document. */
function apiNames(): Set<string> {
  const names = new Set<string>();
  const walk = (value: unknown) => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "properties") Object.keys(inner).forEach((name) => names.add(name));
      if (key === "name" && typeof inner === "string") names.add(inner);
      if (key === "enum") { for (const choice of inner) names.add(String(choice)); }
      walk(inner);
    }
  };
  walk(API);
  return names;
}

Deno.test("every field that the documentation names is the API's or the manifest's", async () => {
  const known = apiNames();
  const manifest = await Promise.all(
    FILES.filter((path) => /^(agent\/engine\/manifest|src\/notify)\/.*\.ts$/.test(path)).map(readDocument),
  );
  const words = new Set(manifest.join("\n").match(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b/g));
  const unknown = unknownNames(
    (text) =>
      codeOf(text).flatMap((code) =>
        code.match(/(?<![\w./$<>-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w./-])/g) ?? []
      ),
    (name) =>
      known.has(name) || words.has(name) || FOREIGN.has(name) || name.startsWith("rearguard_") ||
      name.startsWith("backup_1") || /^(backup|msg)_\d/.test(name),
  );
  assert.deepEqual(unknown, []);
});

Deno.test("the guide names every field of a backup task", () => {
  const { schema } = API.paths["/api/backup-tasks"].post.requestBody.content["application/json"];
  const { properties } = schema.$ref === undefined
    ? schema
    : API.components.schemas[schema.$ref.split("/").at(-1)];
  const guide = PAGES.filter((page) => page.startsWith("docs/guide/")).map((page) => TEXTS.get(page)).join(
    "\n",
  );
  assert.deepEqual(Object.keys(properties).filter((field) => !guide.includes(`\`${field}\``)), []);
});

Deno.test("every endpoint that the documentation names exists", () => {
  const shape = (path: string) => path.replaceAll(/\{\w+\}|\b(\d+|ID)(?=\/|$)/g, "{}");
  const known = new Set(
    Object.entries(API.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${shape(path)}`)
    ),
  );
  const paths = new Set([...known].map((name) => name.split(" ")[1]));
  const outside = ["/healthz", "/readyz", "/metrics", "/api/agent/connect"];
  const unknown = unknownNames(
    (text) =>
      codeOf(text).flatMap((code) =>
        [
          ...code.matchAll(/\b(GET|POST|PUT|DELETE) (\/[\w/{}-]+)/g),
        ].map(([, method, path]) => `${method} ${shape(path!)}`)
      ),
    (name) => known.has(name) || outside.includes(name.split(" ")[1]!),
  );
  assert.deepEqual(unknown, []);
  const unknownPaths = unknownNames(
    (text) =>
      codeOf(text).flatMap((code) => [...code.matchAll(/\$API(\/[\w/-]+)/g)].map(([, path]) => path!)),
    (path) => paths.has(shape(`/api${path}`)),
  );
  assert.deepEqual(unknownPaths, []);
});

/**
 * Returns the unknown flags and subcommands in a command line of `rearguard`. Each result is the name of a
 * command and the unknown word after it, such as `list --x`.
 */
function unknownFlags(line: string): string[] {
  let command: Command = rearguard();
  const words = line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const flags = (of: Command) => of.options.map(({ long }) => long);
  const problems: string[] = [];
  for (const word of words) {
    const next = command.commands.find((inner) => inner.name() === word);
    if (next !== undefined) command = next;
    else if (word.startsWith("--")) {
      const known = [...flags(command), ...flags(rearguard()), "--help"];
      if (!known.includes(word.split("=")[0]!)) problems.push(`${command.name()} ${word}`);
    } else if (/^[|;&>#]/.test(word)) break;
    else if (command.commands.length > 0) problems.push(`${command.name()} ${word}`);
  }
  return problems;
}

Deno.test("every command and flag of rearguard that the documentation names exists", () => {
  const unknown = unknownNames(
    (text) =>
      codeOf(text).flatMap((code) =>
        [...code.replaceAll(/\\\n/g, " ").matchAll(/(?:deno task cli|^rearguard) ([^\n]+)/gm)].flatMap((
          [, line],
        ) => unknownFlags(line!))
      ),
    () => false,
  );
  assert.deepEqual(unknown, []);
});

Deno.test("every flag that the documentation names alone is one of the project's programs", async () => {
  const commands: Command[] = [rearguard()];
  for (const command of commands) commands.push(...command.commands);
  const programs = await Promise.all(
    ["agent/config.ts", "src/admin/main.ts", "tests/faults/main.ts", "tests/fuzz.ts"].map(readDocument),
  );
  const known = new Set([
    ...commands.flatMap(({ options }) => options.map(({ long }) => long!)),
    ...programs.join("\n").match(/--[a-z][a-z-]+/g) ?? [],
    ...[...programs.join("\n").matchAll(/^ +"?([a-z][a-z-]+)"?: \{ type: /gm)].map(([, name]) => `--${name}`),
    "--help",
    "--allow-all",
  ]);
  const foreign = ["deno", "git", "pg_restore"]; // spans of other programs begin with their names
  const unknown = unknownNames(
    (text) =>
      codeSpansOf(proseOf(text)).filter((span) => !foreign.includes(span.split(" ")[0]!)).flatMap((span) =>
        span.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? []
      ),
    (flag) => known.has(flag),
  );
  assert.deepEqual(unknown, []);
});

/** Matches environment variables of Deno, of the system and of OpenTelemetry. */
const FOREIGN_VARIABLES =
  /^(DENO_|OTEL_|HTTPS?_PROXY$|NO_PROXY$|NODE_EXTRA_CA_CERTS$|HOME$|PATH$|AWS_ENDPOINT_URL$)/;
/** Matches words in capitals that are not environment variables: SQL, HTTP, and placeholders in examples. */
const CAPITALS =
  /^(SHOW_ROUTINE|SET_USER_ID|SET_ANY_DEFINER|RENAME|DATA_DIR|NOT|BACKUP_PASSWORD|S3_SECRET|TRIGGER_TOKEN|HOOK|REASON)$/;

Deno.test("every environment variable that the documentation names is read somewhere", async () => {
  const programs = FILES.filter((path) =>
    /^(src|agent)\/.*(?<!_test)\.ts$|^src\/http\/install\.sh$/.test(path)
  );
  const source = (await Promise.all(programs.map(readDocument))).join("\n");
  const read = new Set(source.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g));
  const unknown = unknownNames(
    (text) =>
      codeOf(text).flatMap((code) => code.match(/(?<![\w%.-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w.])/g) ?? []),
    (name) => read.has(name) || FOREIGN_VARIABLES.test(name) || CAPITALS.test(name),
  );
  assert.deepEqual(unknown, []);
});

Deno.test("the page of the configuration has a row for each variable, and for no other", async () => {
  const source = await readDocument("src/config.ts");
  const read = [...source.matchAll(/(?:\.(?:parse|path|text)\(|seconds\(variables,)\s*"([A-Z_]+)"/g)]
    .map(([, name]) => name!).concat("ALLOW_PRIVATE_ADDRESSES");
  const rows = TEXTS.get("docs/operate/configuration.md")!.matchAll(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) +\|/gm);
  const listed = [...rows].flatMap(([, names]) => names!.replaceAll("`", "").split(", "));
  assert.deepEqual(listed.toSorted(), [...new Set(read)].toSorted());
});

Deno.test("the page of notifications has every event", () => {
  const page = TEXTS.get("docs/guide/notifications.md")!;
  assert.deepEqual(NOTIFICATION_EVENTS.filter((event) => !page.includes(`\`${event}\``)), []);
});

Deno.test("the page of monitoring names metrics that there are", async () => {
  const files = [
    "src/http/metrics.ts",
    "src/store/installation/metrics.ts",
    "src/telemetry/process_metrics.ts",
  ];
  const source = (await Promise.all(files.map(readDocument))).join("");
  const named = TEXTS.get("docs/operate/monitoring.md")!.match(/\brearguard_[a-z_]+/g)!;
  const unknown = named.filter((name) =>
    !source.includes(`"${name.slice("rearguard_".length)}"`) && !source.includes(`"${name}"`)
  );
  assert.deepEqual(unknown, []);
});
