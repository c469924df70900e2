/** Every field of a remote server. */
import { defineFields } from "./fields/field.ts";
import { host } from "./formats/paths.ts";
import { integer, line, secret } from "./formats/text.ts";

export const REMOTE_SERVER_FIELDS = defineFields({
  label: { schema: line(255), help: "name of the server", isRequired: true },
  ip_address: {
    schema: host(),
    help: "address of the server",
    description: "IPv4, IPv6 or a host name; unique with `port`.",
    isRequired: true,
  },
  username: { schema: line(255), help: "user on the server, as a note" },
  port: {
    schema: integer(1, 65535),
    help: "SSH port of the server, as a note",
    description: "Default 22.",
    default: 22,
  },
  database_password: {
    schema: secret(1000),
    help: "password of the server's databases",
    description: "Of the server's databases, where a task names none.",
    isSecret: true,
  },
  runs_at_once: {
    schema: integer(1, 100),
    help: "backup runs at once",
    description: "Backup runs at once. Default 1.",
    default: 1,
  },
  offline_alert_after: {
    schema: integer(0, 31_536_000),
    help: "seconds without the agent after which it is reported",
    description:
      "Seconds that its agent may be away before the `on_failure` streams of its tasks are told; 0: never. " +
      "Null: the control plane's default (`AGENT_OFFLINE_SECONDS`, 15 minutes).",
  },
});
export type RemoteServerFields = typeof REMOTE_SERVER_FIELDS;
