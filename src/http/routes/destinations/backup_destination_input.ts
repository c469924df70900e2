/** What callers send of a backup destination. */
import { z } from "@hono/zod-openapi";
import { missingDestinationFields, NO_FIELDS } from "../../../domain/backup_destination.ts";
import type { BackupDestinationInput } from "../../../services/destinations/backup_destinations.ts";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";
import { integer, line, literalLine, secret, text } from "../../../definitions/formats/text.ts";
import { says } from "../../../definitions/formats/says.ts";
import { rule } from "../../input/input.ts";
import { absoluteStorePath, host, relativeStorePath } from "../../../definitions/formats/paths.ts";

const optional = <S extends z.ZodType>(schema: S) => schema.nullable().optional();

const isWord = (value: string) => /^[\x21-\x7e]+$/.test(value);
const key = () => secret(256).refine(isWord, { error: says("must be one word without white space") });

const bucketName = text(255).refine((value) => /^[A-Za-z0-9][A-Za-z0-9._-]{2,}$/.test(value), {
  error: says("must be the name of a bucket"),
});
const region = text(64).refine((value) => /^[A-Za-z0-9-]+$/.test(value), {
  error: says("must be the name of a region, such as eu-central-1"),
});
const endpointUrl = text(2000).refine(isEndpoint, {
  error: says("must be a host or an http or https URL without user, query or fragment"),
});
const privateKey = secret(20_000).refine(
  (value) =>
    /^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----\s[\s\S]+-----END [A-Z ]*PRIVATE KEY-----\s*$/.test(value),
  { error: says("must be a private key in PEM or OpenSSH format") },
);
const hostKey = text(60).regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, {
  error: says("must be a fingerprint such as ssh-keygen -l prints: SHA256: and 43 characters"),
}).transform((value) => value.replace(/=$/, ""));

const fields = z.object({
  label: line(255),
  type: z.enum(["local", "s3", "custom_s3", "sftp"]),
  local_path: optional(absoluteStorePath()).openapi({
    description: "On the remote server. Without it each task needs a `store_path`.",
  }),
  s3_access_key: optional(key()),
  s3_secret_key: optional(key()),
  s3_bucket_name: optional(bucketName),
  s3_region: optional(region).openapi({
    description: "Needed when `type` is `s3`.",
    example: "eu-central-1",
  }),
  custom_s3_region: optional(region).openapi({ description: "Another name of `s3_region`." }),
  custom_s3_endpoint: optional(endpointUrl).openapi({
    description: "Needed when `type` is `custom_s3`.",
    example: "https://s3.example.com",
  }),
  path_style_endpoint: nullAsAbsent(z.boolean()),
  sftp_host: optional(host()),
  sftp_port: optional(integer(1, 65535)).openapi({ description: "Default 22." }),
  sftp_username: optional(literalLine(255)),
  sftp_password: optional(secret(1000)),
  sftp_private_key: optional(privateKey).openapi({
    description: "In OpenSSH's format, PKCS#8 or PEM: Ed25519, ECDSA or RSA.",
  }),
  sftp_private_key_passphrase: optional(secret(1000)).openapi({
    description: "Opens `sftp_private_key`, which is stored, encrypted, without it. Not stored itself.",
  }),
  sftp_host_key: optional(hostKey).openapi({
    description:
      "The fingerprint that the server must show. Until it is set, connecting fails and names the one shown.",
    example: "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
  }),
  sftp_path: optional(relativeStorePath()).openapi({ description: "Default: the account's own directory." }),
});

export const BackupDestinationChanges = fields.partial().extend({
  objects_moved: nullAsAbsent(z.boolean()).openapi({
    description: "Everything stored there was copied to where the new settings lead.",
  }),
}).openapi("BackupDestinationChanges");
export const NewBackupDestination = rule(fields, ["type"], (sent, fail) => {
  const missing = missingDestinationFields(sent.type, {
    ...NO_FIELDS,
    s3_access_key_encrypted: sent.s3_access_key ?? null,
    s3_secret_key_encrypted: sent.s3_secret_key ?? null,
    s3_bucket_name: sent.s3_bucket_name ?? null,
    s3_region: sent.s3_region ?? sent.custom_s3_region ?? null,
    s3_endpoint: sent.custom_s3_endpoint ?? null,
    sftp_host: sent.sftp_host ?? null,
    sftp_username: sent.sftp_username ?? null,
    sftp_password_encrypted: sent.sftp_password ?? null,
    sftp_private_key_encrypted: sent.sftp_private_key ?? null,
  });
  for (const [field, messages] of Object.entries(missing)) {
    messages.forEach((message) => fail(field, message));
  }
}).openapi("NewBackupDestination");

/** The two fields that are stored under another name. */
export function storedNames(
  sent: Omit<z.output<typeof BackupDestinationChanges>, "objects_moved">,
): BackupDestinationInput {
  const { custom_s3_region, custom_s3_endpoint, s3_region, ...rest } = sent;
  const region = s3_region === undefined ? custom_s3_region : s3_region ?? custom_s3_region ?? null;
  return { ...rest, s3_region: region, s3_endpoint: custom_s3_endpoint };
}

/** Without a scheme: https. */
function isEndpoint(value: string): boolean {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `https://${value}`);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}
