/** Statuses: each is an icon, a word and a colour together. */
import { Icon, type IconName } from "./icon.tsx";

/** The colour of a status. */
export type Tone = "good" | "warn" | "bad" | "active" | "quiet";

interface StatusLook {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: Tone;
}

/** How each status looks on pages. The keys are the API's names of the statuses. */
const LOOKS = {
  // Protection of tasks.
  protected: { word: "Protected", icon: "good", tone: "good" },
  late: { word: "Late", icon: "late", tone: "bad" },
  failing: { word: "Failing", icon: "warn", tone: "warn" },
  never_backed_up: { word: "Never backed up", icon: "none", tone: "bad" },
  paused: { word: "Paused", icon: "paused", tone: "quiet" },
  // Runs.
  queued: { word: "Queued", icon: "queued", tone: "quiet" },
  running: { word: "Running", icon: "running", tone: "active" },
  successful: { word: "Successful", icon: "good", tone: "good" },
  warnings: { word: "With warnings", icon: "warn", tone: "warn" },
  failed: { word: "Failed", icon: "bad", tone: "bad" },
  cancelled: { word: "Cancelled", icon: "cancelled", tone: "quiet" },
  // Agents.
  connected: { word: "Connected", icon: "good", tone: "good" },
  disconnected: { word: "Disconnected", icon: "bad", tone: "bad" },
  asleep: { word: "Asleep", icon: "asleep", tone: "quiet" },
  unknown: { word: "Never connected", icon: "none", tone: "quiet" },
} as const satisfies Record<string, StatusLook>;

export type StatusName = keyof typeof LOOKS;

/** A status of the API. An unknown name is shown as it is. `word` replaces the usual word. */
export function Status({ name, word }: { name: string; word?: string }) {
  const look: StatusLook = Object.hasOwn(LOOKS, name)
    ? LOOKS[name as StatusName]
    : { word: name.replaceAll("_", " "), icon: "none", tone: "quiet" };
  return <Mark icon={look.icon} tone={look.tone} text={word ?? look.word} />;
}

/** Any statement with an icon and a colour, such as "Verified". */
export function Mark({ icon, tone, text }: { icon: IconName; tone: Tone; text: string }) {
  return (
    <span class={`status ${tone}`}>
      <Icon name={icon} />
      {text}
    </span>
  );
}
