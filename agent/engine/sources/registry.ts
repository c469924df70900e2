/** All source types that the agent can back up. */
import type {
  ControlPlaneSource,
  DatabaseSource,
  FilesSource,
  JobSource,
} from "../../../src/protocol/job.ts";
import type { RunContext } from "../run_context.ts";
import { prepareControlPlane } from "./control_plane/control_plane.ts";
import { detectEngine } from "./database/database_engine.ts";
import { prepareFiles } from "./files/files.ts";
import { prepareMysql } from "./mysql/mysql.ts";
import { preparePostgresql } from "./postgresql/postgresql.ts";
import type { PreparedSource, PrepareSource } from "./source.ts";

export interface SourceSpecs {
  files: FilesSource;
  postgresql: DatabaseSource;
  mysql: DatabaseSource;
  control_plane: ControlPlaneSource;
}

export const sourceTypes: { [Type in keyof SourceSpecs]: PrepareSource<SourceSpecs[Type]> } = {
  files: prepareFiles,
  postgresql: preparePostgresql,
  mysql: prepareMysql,
  control_plane: prepareControlPlane,
};

export async function prepareSource(source: JobSource, context: RunContext): Promise<PreparedSource> {
  if (source.type === "files") return await sourceTypes.files(source, context);
  if (source.type === "control_plane") return await sourceTypes.control_plane(source, context);
  return await sourceTypes[source.engine ?? await detectEngine(source, context)](source, context);
}
