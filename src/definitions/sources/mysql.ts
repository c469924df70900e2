/** Databases of a MySQL or MariaDB server. */
import { databaseServer, LOAD_FIELDS } from "./database_server.ts";
import { defineSource } from "./definition.ts";

const { definers, continue_on_errors } = LOAD_FIELDS;

export const mysql = defineSource({
  label: "MySQL databases",
  engine: "mysqldump",
  ...databaseServer("mysql", { definers, continue_on_errors }),
});
