/** How full a destination is. */
import { formatBytes } from "../../../domain/byte_size.ts";
import { Meter } from "../../components/chart.tsx";
import { percent } from "../../components/number.tsx";
import { relativeTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import type { Destination } from "./record.ts";

/**
 * The bar warns if at least the first share of the space is used. Its tone is `bad` if at least the second
 * share is used.
 */
const [WARN, BAD] = [0.8, 0.95];

export function SpaceLeft({ view, destination: { space } }: { view: View; destination: Destination }) {
  if (space === null || space.total_bytes === 0) return <span class="muted" title="Not measured yet">–</span>;
  const used = 1 - space.free_bytes / space.total_bytes;
  const text = `${formatBytes(space.free_bytes)} free of ${formatBytes(space.total_bytes)}`;
  return (
    <span class="space" title={`Measured ${relativeTime(view, space.measured_at)}`}>
      <Meter
        label={`${percent(used)} used`}
        share={used}
        tone={used >= BAD ? "bad" : used >= WARN ? "warn" : "active"}
      />
      <span class="number small">{text}</span>
    </span>
  );
}
