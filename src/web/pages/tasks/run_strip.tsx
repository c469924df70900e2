/** The outcomes of a task's last runs, as a strip. */
import type { DataOf } from "../../../client/client.ts";
import { Strip } from "../../components/chart.tsx";
import { count } from "../../components/number.tsx";
import type { Tone } from "../../components/status.tsx";
import { exactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";

type StripRun = DataOf<"/api/history/strips">[number]["runs"][number];

/** The tone and the words of each outcome. */
const OUTCOMES: Readonly<Record<StripRun["outcome"], { readonly tone: Tone; readonly words: string }>> = {
  succeeded: { tone: "good", words: "succeeded" },
  warnings: { tone: "warn", words: "with warnings" },
  failed: { tone: "bad", words: "failed" },
  cancelled: { tone: "quiet", words: "cancelled" },
};

/** Says how many runs had each outcome: `12 runs: 11 succeeded, 1 failed`. */
function summary(runs: readonly StripRun[]): string {
  const parts = Object.entries(OUTCOMES).map(([outcome, { words }]) => {
    const number = runs.filter((run) => run.outcome === outcome).length;
    return number === 0 ? [] : [`${count(number)} ${words}`];
  });
  return `Last runs: ${parts.flat().join(", ") || "none yet"}`;
}

/** A strip with room for `length` runs, the newest at the right. */
export function RunStrip({ view, runs, length }: { view: View; runs: readonly StripRun[]; length: number }) {
  const missing = Array.from({ length: Math.max(0, length - runs.length) }, () => ({
    tone: "none" as const,
    title: "No run",
  }));
  const items = runs.slice(-length).map(({ outcome, created_at }) => {
    const { tone, words } = OUTCOMES[outcome];
    return { tone, title: `${exactTime(view, created_at)}: ${words}` };
  });
  return <Strip label={summary(runs)} items={[...missing, ...items]} />;
}
