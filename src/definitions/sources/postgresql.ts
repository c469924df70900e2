/** Databases of a PostgreSQL server. */
import { databaseServer, LOAD_FIELDS } from "./database_server.ts";
import { defineSource } from "./definition.ts";

const { owners, continue_on_errors } = LOAD_FIELDS;

export const postgresql = defineSource({
  label: "PostgreSQL databases",
  engine: "pg_dump",
  ...databaseServer("postgresql", { owners, continue_on_errors }),
});
