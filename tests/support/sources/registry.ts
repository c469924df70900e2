/** The fixtures of every source type that the agent knows. */
import type { sourceTypes } from "../../../agent/engine/sources/registry.ts";
import { controlPlaneFixture } from "./control_plane.ts";
import { filesFixture } from "./files.ts";
import type { SourceFixture } from "./fixture.ts";
import { mysqlFixture } from "./mysql.ts";
import { postgresqlFixture } from "./postgresql.ts";
import { sqliteFixture } from "./sqlite.ts";

export type SourceType = keyof typeof sourceTypes;

export const sourceFixtures: { [Type in SourceType]: () => Promise<SourceFixture> } = {
  files: filesFixture,
  postgresql: postgresqlFixture,
  mysql: mysqlFixture,
  sqlite: sqliteFixture,
  control_plane: controlPlaneFixture,
};
