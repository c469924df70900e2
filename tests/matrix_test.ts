/** Every source type to every destination type, through a control plane and an agent, restored with stock tools. */
import assert from "node:assert/strict";
import { destinationTypes } from "../agent/engine/destinations/registry.ts";
import { sourceTypes } from "../agent/engine/sources/registry.ts";
import type { JobSource } from "../src/protocol/job.ts";
import { type ControlPlane, startControlPlane } from "./support/control_plane.ts";
import { type DestinationFixture, destinationFixtures } from "./support/destinations.ts";
import { Secrecy } from "./support/secrecy.ts";
import type { SourceFixture } from "./support/sources/fixture.ts";
import { sourceFixtures, type SourceType } from "./support/sources/registry.ts";
import { type BackupRecord, manifestOf, objectsIn, restoreFetched } from "./support/stored_backup.ts";

/** Nothing that a shell, a URL or JSON would leave as it is. */
const PASSPHRASE = `päss "wörd" \\ $(id) 'of' & %41`;

/** The task that backs a source up, as the API takes it. */
function taskFields(spec: JobSource): Record<string, unknown> {
  if (spec.type === "files") {
    const { type, path, excluded_paths } = spec;
    return { type, source_path: path, excluded_paths };
  }
  return {
    type: spec.type,
    database_type: spec.engine,
    database_name: spec.names.join(","),
    excluded_database_tables: spec.excluded_tables.join(","),
    database_host: spec.host,
    database_port: spec.port,
    database_username: spec.username,
    database_password: spec.password,
    database_format: spec.format,
  };
}

interface Combination {
  plane: ControlPlane;
  source: SourceFixture;
  original: string[];
  destination: DestinationFixture;
  destinationId: number;
  directory: string;
  passphrase: string | null;
}

async function prove(combination: Combination): Promise<void> {
  const { plane: { api, serverId }, source, original, destination, directory, passphrase } = combination;
  const taskId = await api.create("/backup-tasks", {
    ...taskFields(source.variants[0]!.spec),
    remote_server_id: serverId,
    backup_destination_id: combination.destinationId,
    label: directory,
    store_path: destination.storePath(directory),
    frequency: "daily",
    time_to_run_at: "01:00",
    encryption_password: passphrase,
  });
  const log = await api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  assert.doesNotMatch(log.output, /Warning: /);
  const records: BackupRecord[] = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
  assert.equal(records.length, 1);
  assert.equal(records[0]!.encrypted, passphrase !== null);
  const objects = await objectsIn(destination, directory);
  const manifest = manifestOf(objects, records[0]!);
  assert.deepEqual([...objects.keys()].sort(), manifest.names.sort());
  assert.deepEqual(await destination.partials(), []);
  await source.reset();
  await restoreFetched(objects, manifest, source, passphrase);
  assert.deepEqual(await source.describeRestored(), original);
}

Deno.test("every source to every destination, restored with stock tools", async (t) => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const destinations = new Map<string, { fixture: DestinationFixture; id: number }>();
  for (const type of Object.keys(destinationTypes)) {
    const fixture = stack.use(await destinationFixtures[type]!());
    const id = await plane.api.create("/backup-destinations", { label: type, ...fixture.fields });
    destinations.set(type, { fixture, id });
  }
  const sources = new Map<string, SourceFixture>();
  for (const type of Object.keys(sourceTypes) as SourceType[]) {
    sources.set(type, stack.use(await sourceFixtures[type]()));
  }
  const secrets = [...destinations.values()].flatMap(({ fixture }) => fixture.secrets)
    .concat([...sources.values()].flatMap((fixture) => fixture.secrets), PASSPHRASE);
  using secrecy = new Secrecy(plane, secrets);

  const pairs = [...sources.keys()].flatMap((source) =>
    [...destinations.keys()].map((destination) => ({ source, destination }))
  );
  for (const [index, pair] of pairs.entries()) {
    const source = sources.get(pair.source)!;
    const { fixture: destination, id: destinationId } = destinations.get(pair.destination)!;
    const original = await source.describeOriginal();
    // Each source and each destination once: a passphrase costs seconds a time.
    const isDiagonal = index % (destinations.size + 1) === 0;
    for (const passphrase of isDiagonal ? [null, PASSPHRASE] : [null]) {
      const how = passphrase === null ? "" : ", encrypted";
      await t.step(`${pair.source} to ${pair.destination}${how}`, () =>
        prove({
          plane,
          source,
          original,
          destination,
          destinationId,
          directory: `of ${pair.source}/-ä 'b' $(id)${how}`,
          passphrase,
        }));
    }
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});
