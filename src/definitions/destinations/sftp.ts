/** A directory on an SSH server. */
import * as z from "zod";
import { shellQuote } from "../../domain/shell_quote.ts";
import { host, relativeStorePath } from "../formats/paths.ts";
import { says } from "../formats/says.ts";
import { integer, literalLine, secret, text } from "../formats/text.ts";
import { defineDestination } from "./definition.ts";
import { nearlyFullField } from "./nearly_full.ts";
import { priceFields } from "./price.ts";

const SSH_PORT = 22;

const SftpDestination = z.object({
  type: z.literal("sftp"),
  host: z.string(),
  port: z.number().int(),
  username: z.string(),
  password: z.string().nullable(),
  private_key: z.string().nullable(),
  /**
   * Fingerprint of the expected host key: `SHA256:` and unpadded base64. If null, connecting fails with an
   * error that names the server's fingerprint.
   */
  host_key: z.string().nullable(),
  directory: z.string(),
});
export type SftpDestination = z.infer<typeof SftpDestination>;

const privateKey = secret(20_000).refine(
  (value) =>
    /^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----\s[\s\S]+-----END [A-Z ]*PRIVATE KEY-----\s*$/.test(value),
  { error: says("must be a private key in PEM or OpenSSH format") },
);
const hostKey = text(60).regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, {
  error: says("must be a fingerprint as ssh-keygen -l prints it: SHA256: and 43 characters"),
}).overwrite((value) => value.replace(/=$/, ""));

export const sftp = defineDestination({
  label: "SFTP",
  reach: "agents",
  fields: {
    sftp_host: { schema: host(), help: "the SSH server", isRequired: true, isSearched: true },
    sftp_port: {
      schema: integer(1, 65535),
      help: "the port of the SSH server",
      description: "Default 22.",
      default: SSH_PORT,
    },
    sftp_username: { schema: literalLine(255), help: "the user to log in as", isRequired: true },
    sftp_password: {
      schema: secret(1000),
      help: "the password; required unless `sftp_private_key` is set",
      isSecret: true,
    },
    sftp_private_key: {
      schema: privateKey,
      help: "a private key in OpenSSH's format, PKCS#8 or PEM",
      description: "In OpenSSH's format, PKCS#8 or PEM: Ed25519, ECDSA or RSA.",
      isSecret: true,
      passphraseField: "sftp_private_key_passphrase",
    },
    sftp_private_key_passphrase: {
      schema: secret(1000),
      help: "the passphrase that decrypts `sftp_private_key`",
      description:
        "Decrypts `sftp_private_key` before that is stored, encrypted by the control plane. The passphrase is not stored.",
      isTransient: true,
    },
    sftp_host_key: {
      schema: hostKey,
      help:
        "the fingerprint of the server's host key; until it is set, connecting fails and reports the fingerprint",
      placeholder: "fingerprint",
      description:
        "The fingerprint of the server's host key. Until it is set, connecting fails and reports the fingerprint.",
      example: "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
    },
    sftp_path: {
      schema: relativeStorePath(),
      help: "the directory on the server; by default the account's home directory",
      placeholder: "path",
      description: "Default: the account's home directory.",
      isSearched: true,
    },
    ...nearlyFullField,
    ...priceFields,
  },
  requiredOneOf: {
    fields: ["sftp_password", "sftp_private_key"],
    message: "The sftp password field is required when type is sftp, unless a private key is given.",
  },
  jobShape: SftpDestination,
  job: (settings, secrets, directory) => ({
    type: "sftp" as const,
    host: settings.sftp_host,
    port: settings.sftp_port,
    username: settings.sftp_username,
    password: secrets.sftp_password ?? null,
    private_key: secrets.sftp_private_key ?? null,
    host_key: settings.sftp_host_key ?? null,
    directory,
  }),
  base: ({ sftp_path }) => sftp_path ?? ".",
  // The user name is included because the same path can lead to another directory for another user. A
  // relative path starts at the user's home directory, and a server might give each user another root
  // directory.
  boundTo: ({ sftp_host, sftp_port, sftp_username }) => ({
    sftp_host: sftp_host.toLowerCase(),
    sftp_port,
    sftp_username,
  }),
  location: ({ sftp_host, sftp_path }) => `${sftp_host}:${sftp_path ?? ""}`,
  kit: {
    describe: ({ sftp_username, sftp_host, sftp_port, sftp_path }, directory) =>
      `SFTP ${sftp_username}@${sftp_host}:${sftp_port}, ${directory ?? sftp_path ?? "."}`,
    address({ sftp_host, sftp_port, sftp_username }, directory) {
      const server = sftp_host.includes(":") ? `[${sftp_host}]` : sftp_host;
      const path = (directory.startsWith("/") ? directory : `/~/${directory}`).split("/").map(
        encodeURIComponent,
      );
      return `sftp://${encodeURIComponent(sftp_username)}@${server}:${sftp_port}${path.join("/")}`;
    },
    // The recovery kit contains the host key, which is not secret. After the control plane is lost, only the
    // kit identifies the genuine server.
    environment: ({ sftp_host_key }) => [
      `export SFTP_HOST_KEY=${shellQuote(sftp_host_key ?? "…")} SFTP_PRIVATE_KEY_FILE=… ` +
      "# or SFTP_PASSWORD, which is asked for otherwise",
    ],
    reading: {
      schemes: ["sftp"],
      form: "sftp://USER@HOST:PORT/DIRECTORY, or /~/DIRECTORY below the account's home directory",
      settings({ hostname, port, username, pathname }) {
        const path = decodeURIComponent(pathname);
        const inHome = /^\/~(?:\/(.*))?$/.exec(path);
        return {
          sftp_host: hostname.replace(/^\[(.*)\]$/, "$1"),
          sftp_port: port === "" ? SSH_PORT : Number(port),
          sftp_username: decodeURIComponent(username),
          sftp_path: inHome === null ? path || "." : inHome[1] || ".",
        };
      },
      words: {
        sftp_host: "its host",
        sftp_port: "its port",
        sftp_username: "its user",
        sftp_path: "its directory",
      },
    },
  },
});
