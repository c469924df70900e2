/** Defines the types of backup destinations and the fields that each requires. */

export type DestinationType = "local" | "s3" | "custom_s3" | "sftp";

/** A destination's columns except its label. Secrets are encrypted. */
export interface DestinationFields {
  local_path: string | null;
  s3_access_key_encrypted: string | null;
  s3_secret_key_encrypted: string | null;
  s3_bucket_name: string | null;
  s3_region: string | null;
  s3_endpoint: string | null;
  path_style_endpoint: boolean;
  sftp_host: string | null;
  sftp_port: number | null;
  sftp_username: string | null;
  sftp_password_encrypted: string | null;
  sftp_private_key_encrypted: string | null;
  sftp_host_key: string | null;
  sftp_path: string | null;
}

export const NO_FIELDS: Readonly<DestinationFields> = {
  local_path: null,
  s3_access_key_encrypted: null,
  s3_secret_key_encrypted: null,
  s3_bucket_name: null,
  s3_region: null,
  s3_endpoint: null,
  path_style_endpoint: false,
  sftp_host: null,
  sftp_port: null,
  sftp_username: null,
  sftp_password_encrypted: null,
  sftp_private_key_encrypted: null,
  sftp_host_key: null,
  sftp_path: null,
};

const S3_FIELDS = [
  "s3_access_key_encrypted",
  "s3_secret_key_encrypted",
  "s3_bucket_name",
  "s3_region",
  "path_style_endpoint",
] as const;

const FIELDS_OF: Record<DestinationType, readonly (keyof DestinationFields)[]> = {
  local: ["local_path"],
  s3: S3_FIELDS,
  custom_s3: [...S3_FIELDS, "s3_endpoint"],
  sftp: [
    "sftp_host",
    "sftp_port",
    "sftp_username",
    "sftp_password_encrypted",
    "sftp_private_key_encrypted",
    "sftp_host_key",
    "sftp_path",
  ],
};

/**
 * Returns only the fields that `type` uses, so that no field of a former type, above all no secret, stays
 * stored.
 */
export function fieldsOf(type: DestinationType, fields: DestinationFields): DestinationFields {
  const kept: Record<string, unknown> = { ...NO_FIELDS };
  for (const field of FIELDS_OF[type]) kept[field] = fields[field];
  return kept as unknown as DestinationFields;
}

/** Returns whether objects stored with one type can be read with the other. */
export function isSameStorage(one: DestinationType, other: DestinationType): boolean {
  const family = (type: DestinationType) => type === "custom_s3" ? "s3" : type;
  return family(one) === family(other);
}

/** A destination's type and its settings. */
export type DestinationSettings = DestinationFields & { readonly type: DestinationType };

/**
 * Returns the names of the changed settings that point to another bucket or server, where stored objects
 * would be missing. Paths do not count: each backup records its own directory.
 */
export function movedSettings(before: DestinationSettings, after: DestinationSettings): string[] {
  const [old, now] = [addressOf(before), addressOf(after)];
  return Object.keys(now).filter((setting) => old[setting] !== now[setting]);
}

function addressOf(settings: DestinationSettings): Record<string, string | number | null> {
  switch (settings.type) {
    case "local":
      return {};
    case "sftp":
      // A relative path starts at the user's home directory, and a server may show each user another root.
      return {
        sftp_host: settings.sftp_host?.toLowerCase() ?? null,
        sftp_port: settings.sftp_port ?? 22,
        sftp_username: settings.sftp_username,
      };
    case "s3":
    case "custom_s3":
      return { s3_bucket_name: settings.s3_bucket_name, custom_s3_endpoint: serviceOf(settings) };
  }
}

/**
 * Returns the service that a bucket belongs to: one of Amazon's partitions, or a host with its port and path.
 */
function serviceOf({ type, s3_endpoint, s3_region }: DestinationSettings): string {
  if (type === "s3" || s3_endpoint === null) return amazonPartition(s3_region ?? "");
  const url = new URL(/^https?:\/\//i.test(s3_endpoint) ? s3_endpoint : `https://${s3_endpoint}`);
  const amazon = /^s3[.-](?:dualstack\.)?(?:([a-z0-9-]+)\.)?amazonaws\.com(?:\.cn)?$/.exec(url.hostname);
  if (amazon !== null) return amazonPartition(amazon[1] ?? "");
  return url.host + url.pathname.replace(/\/+$/, "");
}

/** Returns Amazon's partition of a region. Bucket names are unique within a partition. */
function amazonPartition(region: string): string {
  return `amazonaws.com ${/^(cn|us-gov|us-iso[a-z]?)-/.exec(region)?.[1] ?? ""}`.trim();
}

/** Returns every field that `type` requires and that is missing, by its name in requests, with the reason. */
export function missingDestinationFields(
  type: DestinationType,
  fields: DestinationFields,
): Record<string, string[]> {
  const missing: Record<string, string[]> = {};
  const require = (field: keyof DestinationFields, sentAs: string) => {
    if (fields[field] !== null) return;
    missing[sentAs] = [`The ${sentAs.replaceAll("_", " ")} field is required when type is ${type}.`];
  };
  if (type === "s3" || type === "custom_s3") {
    require("s3_access_key_encrypted", "s3_access_key");
    require("s3_secret_key_encrypted", "s3_secret_key");
    require("s3_bucket_name", "s3_bucket_name");
  }
  if (type === "s3") require("s3_region", "s3_region");
  if (type === "custom_s3") require("s3_endpoint", "custom_s3_endpoint");
  if (type === "sftp") {
    require("sftp_host", "sftp_host");
    require("sftp_username", "sftp_username");
    if (fields.sftp_password_encrypted === null && fields.sftp_private_key_encrypted === null) {
      missing.sftp_password = [
        "The sftp password field is required when type is sftp, unless a private key is given.",
      ];
    }
  }
  return missing;
}
