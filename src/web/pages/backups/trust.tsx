/** How far a backup can be trusted, in a few words. */
import { Mark } from "../../components/status.tsx";
import { exactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import type { Backup } from "./browse.ts";

export function Trust({ view, backup }: { view: View; backup: Backup }) {
  if (backup.damaged_at !== null) return <Mark icon="bad" tone="bad" text="Damaged" />;
  if (backup.suspicious_at !== null) return <Mark icon="warn" tone="bad" text="Suspicious" />;
  if (backup.incomplete) return <Mark icon="warn" tone="warn" text="Incomplete" />;
  if (backup.proven_at !== null) {
    return (
      <span title={exactTime(view, backup.proven_at)}>
        <Mark icon="verification" tone="good" text="Proven" />
      </span>
    );
  }
  if (backup.verified_at === null) return <Mark icon="none" tone="quiet" text="Not verified" />;
  return (
    <span title={exactTime(view, backup.verified_at)}>
      <Mark icon="good" tone="good" text="Verified" />
    </span>
  );
}
