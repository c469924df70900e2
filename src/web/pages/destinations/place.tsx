/** Says in one line where a destination is. */
import type { Destination } from "./record.ts";

export function Place({ destination }: { destination: Destination }) {
  return <span class="mono clamp">{placeOf(destination)}</span>;
}

function placeOf(destination: Destination): string {
  const texts = Object.fromEntries(
    Object.entries(destination).map(([name, value]) => [name, value === null ? "" : String(value ?? "")]),
  );
  const { local_path, s3_bucket_name, s3_endpoint, s3_region, sftp_host, sftp_path, webdav_url } = texts;
  if (s3_bucket_name) return `${s3_bucket_name} (${s3_endpoint || s3_region})`;
  if (sftp_host) return `${sftp_host}:${sftp_path ?? ""}`;
  return webdav_url || local_path || "set by each task";
}
