/**
 * Tests that no path or file name in any input leads out of its directory. The table below lists every field
 * of the API that takes a path or a name.
 */
import assert from "node:assert/strict";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { ENDPOINTS } from "../../src/http/routes.ts";
import { type ApiClient, type TestApi, testApi } from "../support/clients/api.ts";
import { contentsOf } from "../support/assertions/contents.ts";
import { newBackup, newDestination, newRun, newServer, newTask } from "../support/fixtures/records.ts";

/** The kinds of paths and names that a field may accept. */
type Kind =
  /** An absolute path of something that exists. It can contain any character that a file system allows. */
  | "absolute"
  /** An absolute path at which backups create files. */
  | "made absolute"
  /** A relative path below a directory. */
  | "inner"
  /** A relative path at which backups create files. */
  | "made inner"
  /** A relative path, or an empty text. */
  | "inner or root"
  /** A part of a file name. */
  | "name part"
  /** A pattern that excludes files. It is allowed to contain `..`, because it is only compared with names. */
  | "pattern"
  /** A name that is looked up among stored names, and never used as a path. */
  | "looked up";

const FIELDS: Readonly<Record<string, Kind>> = {
  "POST /api/backup-tasks source_path": "absolute",
  "POST /api/backup-tasks excluded_paths[]": "pattern",
  "POST /api/backup-tasks appended_file_name": "name part",
  "POST /api/backup-tasks store_path": "made inner",
  "PUT /api/backup-tasks/{id} source_path": "absolute",
  "PUT /api/backup-tasks/{id} excluded_paths[]": "pattern",
  "PUT /api/backup-tasks/{id} appended_file_name": "name part",
  "PUT /api/backup-tasks/{id} store_path": "made inner",
  "GET /api/backups/{id}/download ?object": "looked up",
  "GET /api/backups/{id}/files ?path": "inner or root",
  "POST /api/backups/{id}/files path": "inner or root",
  "GET /api/backups/{id}/files/download ?path": "inner",
  "GET /api/remote-servers/{id}/files ?path": "absolute",
  "POST /api/backups/{id}/restore target_path": "absolute",
  "POST /api/backups/{id}/restore paths[]": "inner",
  "POST /api/backups/{id}/restore/preview target_path": "absolute",
  "POST /api/backups/{id}/restore/preview paths[]": "inner",
  "POST /api/backup-destinations local_path": "made absolute",
  "POST /api/backup-destinations sftp_path": "made inner",
  "POST /api/backup-destinations webdav_path": "made inner",
  "POST /api/backup-destinations/check local_path": "made absolute",
  "POST /api/backup-destinations/check sftp_path": "made inner",
  "POST /api/backup-destinations/check webdav_path": "made inner",
  "PUT /api/backup-destinations/{id} local_path": "made absolute",
  "PUT /api/backup-destinations/{id} sftp_path": "made inner",
  "PUT /api/backup-destinations/{id} webdav_path": "made inner",
};

/** Values that are invalid as any kind of path. */
const NEVER = ["a\0b", "\0", "a\ud800b", `${"a/".repeat(2048)}a`];
const CLIMBS = ["..", "../x", "/..", "/a/../b", "a/..", "/a/b/..", "./..", "a//../b", "//..//"];
const CONTROLS = ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\u0085b"];

const REFUSED: Readonly<Record<Kind, readonly string[]>> = {
  "absolute": [...NEVER, ...CLIMBS, "", "relative", "./a", "~/a", "C:\\a"],
  "made absolute": [...NEVER, ...CLIMBS, ...CONTROLS.map((path) => `/${path}`), "relative"],
  "inner": [...NEVER, ...CLIMBS],
  "made inner": [...NEVER, ...CLIMBS, ...CONTROLS],
  "inner or root": [...NEVER, ...CLIMBS],
  "name part": [
    ...NEVER,
    ...CLIMBS,
    ...CONTROLS,
    ".",
    "a/b",
    "/",
    ".hidden",
    "-option",
    "a b",
    "a\\b",
    "é",
    "a".repeat(101),
  ],
  "pattern": [...NEVER, "a\nb", ""],
  "looked up": NEVER.slice(0, 3),
};

const TAKEN: Readonly<Record<Kind, readonly string[]>> = {
  "absolute": ["/", "/a b/ü/..c/d..", "/a\nb", "/...", `/${"a".repeat(255)}`],
  "made absolute": ["/", "/a b/ü/..c/d.."],
  "inner": ["a", "a/..b", "a\nb", "..."],
  "made inner": ["a", "/a b/ü", "..a/b.."],
  "inner or root": ["", "a", "a/..b"],
  "name part": ["a", "A-1_b.c", "a..b"],
  "pattern": ["*.tmp", "../x", "/a"],
  "looked up": [],
};

interface Field {
  readonly endpoint: Endpoint;
  /** The field's name. The name of a query parameter starts with `?`. The name of a list ends with `[]`. */
  readonly name: string;
}

/**
 * Returns the fields whose names suggest a path. The keys are those of `FIELDS`. A new field needs a row in
 * `FIELDS`.
 */
function pathFields(): Map<string, Field> {
  const found = new Map<string, Field>();
  for (const endpoint of ENDPOINTS.filter(({ access }) => access !== "agent")) {
    const add = (field: string, name: string) => {
      if (
        !/path|file|folder|directory|object/.test(field) ||
        ["path_style_endpoint", "objects_moved"].includes(field)
      ) return;
      found.set(`${endpoint.method.toUpperCase()} ${endpoint.path} ${name}`, { endpoint, name });
    };
    for (const field of Object.keys(endpoint.query?.shape ?? {})) add(field, `?${field}`);
    for (const field of Object.keys(endpoint.body?.schema.shape ?? {})) {
      add(field, /paths$/.test(field) ? `${field}[]` : field);
    }
  }
  return found;
}

Deno.test("every field that is named like a path is in the table", () => {
  assert.deepEqual([...pathFields().keys()].sort(), Object.keys(FIELDS).sort());
});

async function recordsOf(api: TestApi, client: ApiClient): Promise<Record<string, number>> {
  const task = await newTask(client);
  return {
    "Backup task": task,
    "Backup task log": await newRun(api.database, task, api.clock.now()),
    "Backup": await newBackup(api.database, task, api.clock.now()),
    "Backup destination": await newDestination(client, { local_path: "/backups" }),
    "Remote server": await newServer(client),
  };
}

/** For each path field of a destination: the other fields that this destination needs. */
const DESTINATIONS: Readonly<Record<string, Record<string, unknown>>> = {
  local_path: { type: "local" },
  sftp_path: { type: "sftp", sftp_host: "h.example.com", sftp_username: "u", sftp_password: "p" },
  webdav_path: {
    type: "webdav",
    webdav_url: "https://h.example.com",
    webdav_username: "u",
    webdav_password: "p",
  },
};

/** Builds a request body with the field `field`, and with the other fields that the endpoint requires. */
function bodyOf(field: string, value: unknown, ids: Record<string, number>): Record<string, unknown> {
  const destination = DESTINATIONS[field];
  if (destination !== undefined) {
    // `remote_server_id` is only for the endpoint that checks an unsaved destination.
    return { label: "d", remote_server_id: ids.remote_server_id, ...destination, [field]: value };
  }
  if (/^(source_path|excluded_paths|appended_file_name|store_path)$/.test(field)) {
    const plan = {
      label: "t",
      type: "files",
      source_path: "/x",
      frequency: "daily",
      time_to_run_at: "01:00",
    };
    return { ...plan, ...ids, [field]: value };
  }
  if (field === "paths") return { target_path: "/restored", paths: value };
  return field === "path" ? { path: value, identity: "AGE-SECRET-KEY-1" } : { [field]: value };
}

Deno.test("no path field takes what leads out of its place", async (t) => {
  await using api = await testApi();
  const client = await api.user();
  const records = await recordsOf(api, client);
  const ids = {
    remote_server_id: records["Remote server"]!,
    backup_destination_id: records["Backup destination"]!,
  };
  for (const [title, { endpoint, name }] of pathFields()) {
    const kind = FIELDS[title]!;
    const field = name.replaceAll(/[?[\]]/g, "");
    const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, part) => String(records[endpoint.ids![part]!]));
    const send = (value: string) =>
      name.startsWith("?")
        ? client.call(
          endpoint.method.toUpperCase(),
          `${path}?${field}=${encodeURIComponent(value.toWellFormed())}`,
        )
        : client.call(
          endpoint.method.toUpperCase(),
          path,
          bodyOf(field, name.endsWith("[]") ? ["fine", value] : value, ids),
        );
    await t.step(title, async () => {
      const before = await contentsOf(api.database);
      for (const value of REFUSED[kind]) {
        // A URL cannot contain half of a surrogate pair.
        if (name.startsWith("?") && !value.isWellFormed()) continue;
        const shown = JSON.stringify(value.slice(0, 20));
        const { status, body } = await send(value);
        assert.equal(status, 422, `${shown}: ${status} ${JSON.stringify(body)}`);
        assert.deepEqual(Object.keys(body.errors), [name.endsWith("[]") ? `${field}.1` : field], shown);
        assert.ok(JSON.stringify(body).length < 1000, "the answer repeats what was sent");
      }
      assert.deepEqual(await contentsOf(api.database), before);
      for (const value of TAKEN[kind]) {
        const { status, body } = await send(value);
        // The request might fail for other reasons, because there is no agent here. Only errors of fields
        // count.
        assert.ok(
          status < 300 || body.errors === undefined,
          `${JSON.stringify(value)}: ${JSON.stringify(body)}`,
        );
        assert.ok(status < 500 || status === 503, String(status));
      }
    });
  }
});
