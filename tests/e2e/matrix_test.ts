/**
 * Combines every source type with every destination type and every encryption, through a control plane and an
 * agent. Each backup is restored with stock tools and by Rearguard.
 */
import assert from "node:assert/strict";
import { sourceTypes } from "../../agent/engine/sources/registry.ts";
import type { JobSource } from "../../src/protocol/job.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { ageKeygen } from "../support/fixtures/age.ts";
import { type ControlPlane, startControlPlane } from "../support/servers/control_plane.ts";
import { type DestinationFixture, destinationFixtures } from "../support/fixtures/destinations.ts";
import type { RestoreKey } from "../support/fixtures/restore.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import { taskSource } from "../support/fixtures/task_source.ts";
import type { SourceFixture } from "../support/sources/fixture.ts";
import { sourceFixtures, type SourceType } from "../support/sources/registry.ts";
import {
  type BackupRecord,
  manifestOf,
  objectsIn,
  restoreFetched,
} from "../support/fixtures/stored_backup.ts";

/** A password with characters that are special to a shell, a URL or JSON. */
const PASSPHRASE = `päss "wörd" \\ $(id) 'of' & %41`;

interface Encryption {
  name: BackupRecord["encryption"];
  fields: { encryption_password?: string; encryption_recipients?: string[] };
  /** The key that decrypts the backup. */
  key: RestoreKey;
}

/**
 * Returns the encryptions to test. One of them has two recipients. Its backups are decrypted with the secret
 * key of the second recipient.
 */
async function encryptions(): Promise<Encryption[]> {
  const [first, second] = [await ageKeygen(), await ageKeygen()];
  return [
    { name: "none", fields: {}, key: null },
    { name: "password", fields: { encryption_password: PASSPHRASE }, key: PASSPHRASE },
    {
      name: "recipients",
      fields: { encryption_recipients: [first.recipient, second.recipient] },
      key: { identity: second.identity },
    },
  ];
}

interface Combination {
  plane: ControlPlane;
  source: SourceFixture;
  spec: JobSource;
  original: string[];
  destination: DestinationFixture;
  destinationId: number;
  directory: string;
  encryption: Encryption;
}

async function prove(combination: Combination): Promise<void> {
  const { source, destination, directory, encryption } = combination;
  await source.reset();
  const record = await backUp(combination);
  const objects = await objectsIn(destination, directory);
  const manifest = manifestOf(objects, record);
  assert.deepEqual([...objects.keys()].sort(), manifest.names.sort());
  assert.deepEqual(manifest.recipients, encryption.fields.encryption_recipients);
  assert.deepEqual(await destination.partials(), []);
  await Promise.all([
    restoreWithStockTools(combination, objects, manifest),
    restoreThroughApi(combination, record),
  ]);
}

async function restoreWithStockTools(
  { source, original, encryption }: Combination,
  objects: Map<string, Uint8Array>,
  manifest: ReturnType<typeof manifestOf>,
): Promise<void> {
  await restoreFetched(objects, manifest, source, encryption.key);
  assert.deepEqual(await source.describeRestored(), original);
}

async function restoreThroughApi(
  { plane: { api }, source, original, encryption }: Combination,
  record: BackupRecord,
): Promise<void> {
  await Promise.all(source.api!.requests.map(async (request) => {
    const asked = { ...request, ...identityIn(encryption.key) };
    const log = await api.carryOut(`/backups/${record.id}/restore`, asked);
    assert.equal(log.status, "successful", log.output);
    assert.doesNotMatch(log.output, /Warning: /);
  }));
  assert.deepEqual(await source.api!.describeRestored(), original);
}

/** Returns the secret key (identity) to send with a request. The control plane never stores it. */
function identityIn(key: RestoreKey): { identity?: string } {
  return key === null || typeof key === "string" ? {} : key;
}

async function backUp(
  { plane: { api, serverId }, spec, destination, destinationId, directory, encryption }: Combination,
): Promise<BackupRecord> {
  const taskId = await api.create("/backup-tasks", {
    ...taskSource(spec),
    remote_server_id: serverId,
    backup_destination_id: destinationId,
    label: directory,
    store_path: destination.storePath(directory),
    frequency: "daily",
    time_to_run_at: "01:00",
    ...encryption.fields,
  });
  const log = await api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  assert.doesNotMatch(log.output, /Warning: /);
  const records: BackupRecord[] = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
  assert.equal(records.length, 1);
  assert.equal(records[0]!.encryption, encryption.name);
  return records[0]!;
}

Deno.test("every source to every destination, restored with stock tools and through the API", async (t) => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const destinations = new Map<string, { fixture: DestinationFixture; id: number }>();
  for (const type of Object.keys(destinationFixtures)) {
    const fixture = stack.use(await destinationFixtures[type]!());
    const id = await plane.api.create("/backup-destinations", { label: type, ...fixture.fields });
    destinations.set(type, { fixture, id });
  }
  const sources = new Map<string, SourceFixture>();
  for (const type of Object.keys(sourceTypes) as SourceType[]) {
    // The source `control_plane` is left out: a control plane can only back up itself, and its data changes
    // during the test. tests/e2e/recovery_test.ts tests this source.
    if (type === "control_plane") continue;
    sources.set(type, stack.use(await sourceFixtures[type]()));
  }
  const secrets = [...destinations.values()].flatMap(({ fixture }) => fixture.secrets)
    .concat([...sources.values()].flatMap((fixture) => fixture.secrets), PASSPHRASE);
  using secrecy = new Secrecy(plane, secrets);

  const pairs = [...sources.keys()].flatMap((source) =>
    [...destinations.keys()].map((destination) => ({ source, destination }))
  );
  const ways = await encryptions();
  for (const pair of pairs) {
    const source = sources.get(pair.source)!;
    const { fixture: destination, id: destinationId } = destinations.get(pair.destination)!;
    const { spec } = source.variants[0]!;
    // Make the archive larger than one part of a multipart upload, so that the upload to S3 has several
    // parts.
    const addition = spec.type === "files" && pair.destination === "s3" ? `${spec.path}/plain/more` : null;
    if (addition !== null) await shell('head -c 9000000 /dev/urandom > "$1"', addition);
    const original = await source.describeOriginal();
    const cases = ways.map((encryption) => ({ encryption, spec, name: `encryption ${encryption.name}` }));
    if (pair.source === "postgresql" && pair.destination === "local") {
      const plain = { ...spec, format: "plain" } as JobSource;
      cases.push({ encryption: ways[1]!, spec: plain, name: "plain format, encryption password" });
    }
    for (const { encryption, name, spec } of cases) {
      await t.step(`${pair.source} to ${pair.destination}, ${name}`, () =>
        prove({
          plane,
          source,
          spec,
          original,
          destination,
          destinationId,
          directory: `of ${pair.source}/-ä 'b' $(id), ${name}`,
          encryption,
        }));
    }
    if (addition !== null) await Deno.remove(addition);
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});
