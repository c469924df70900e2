/** Finds what is wrong with an installation, and says what to do about it. */
import type { Answer } from "../../../client/client.ts";
import { counted } from "../../components/number.tsx";

export type Installation = Answer<"/api/installation">["data"];
export type RecoveryKit = Answer<"/api/recovery-kit/status">["data"];

export interface Problem {
  readonly tone: "bad" | "warn";
  readonly what: string;
  readonly toDo: string;
  /** The page that helps. */
  readonly link?: { readonly path: string; readonly label: string };
}

/** A run that waits for longer, in milliseconds, is worth a look. */
const LONG_WAIT = 3_600_000;

/** Returns the problems of an installation, the worst first. */
export function problemsOf(installation: Installation, kit: RecoveryKit, now: Date): Problem[] {
  return [
    ...ofProcess(installation),
    ...ofKeys(installation),
    ...ofReplicas(installation),
    ...ofQueue(installation, now),
    ...ofKit(kit),
  ];
}

function ofProcess({ problem, migrations }: Installation): Problem[] {
  const monitoring = { path: "/help/operate/monitoring.md", label: "Monitoring" };
  const health: Problem[] = problem === null ? [] : [{
    tone: "bad",
    what: problem,
    toDo: "Its log says why. Restart it if it does not recover.",
    link: monitoring,
  }];
  const { applied_count: applied, expected_count: expected } = migrations;
  if (applied <= expected) return health;
  return [...health, {
    tone: "warn",
    what: `The database has ${counted(applied - expected, "migration")} of a newer version.`,
    toDo: "Another control plane was updated. Update this one too.",
    link: { path: "/help/operate/upgrade.md", label: "Upgrade" },
  }];
}

function ofKeys({ keys, replicas }: Installation): Problem[] {
  const link = { path: "/help/operate/key-rotation.md", label: "Key rotation" };
  const alive = replicas.filter(({ is_alive }) => is_alive);
  const lacking = alive.filter(({ key_ids }) => keys.ids.some((id) => !key_ids.includes(id)));
  const missing: Problem[] = lacking.map(({ id, name }) => ({
    tone: "bad",
    what: `${name ?? id} does not have all secret keys that this control plane has.`,
    toDo: "Give it the same keys and restart it: it cannot open some of the stored secrets.",
    link,
  }));
  if (keys.rotation === null) return missing;
  return [...missing, {
    tone: "warn",
    what: `The rotation to the key ${keys.rotation.new_key_id} is not finished.`,
    toDo: "Run `deno task admin key rotate` once more. Keep the old key until it has finished.",
    link,
  }];
}

function ofReplicas({ replicas }: Installation): Problem[] {
  const link = { path: "/help/operate/scaling.md", label: "Scaling and failover" };
  const alive = replicas.filter(({ is_alive }) => is_alive);
  const gone: Problem[] = replicas.filter(({ is_alive }) => !is_alive).map(({ id, name }) => ({
    tone: "warn",
    what: `${name ?? id} sends no heartbeats.`,
    toDo: "If it was not stopped on purpose, look at its log. Other control planes do its work.",
    link,
  }));
  const versions = new Set(alive.map(({ version }) => version ?? "an older version"));
  if (versions.size < 2) return gone;
  return [...gone, {
    tone: "warn",
    what: `The control planes have different versions: ${[...versions].join(", ")}.`,
    toDo: "That is fine during an update. Then update the others too.",
    link: { path: "/help/operate/upgrade.md", label: "Upgrade" },
  }];
}

function ofQueue({ queue: { oldest_queued_at: oldest } }: Installation, now: Date): Problem[] {
  if (oldest === null || now.getTime() - Date.parse(oldest) < LONG_WAIT) return [];
  return [{
    tone: "warn",
    what: "A run has waited for over an hour.",
    toDo: "The page of the run says why.",
    link: { path: "/runs?status=queued&sort=id", label: "Queued runs" },
  }];
}

function ofKit({ kept_at, is_current, missing }: RecoveryKit): Problem[] {
  if (is_current) return [];
  return [{
    tone: "warn",
    what: kept_at === null
      ? "Nobody has confirmed that a copy of the recovery kit is kept."
      : `The kept copy of the recovery kit is out of date. ${missing.join(" ")}`.trimEnd(),
    toDo: "Without this machine, the recovery kit says where the backups are and how to restore them.",
    link: { path: "/installation/recovery-kit", label: "Open the recovery kit" },
  }];
}
