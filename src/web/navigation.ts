/** The pages that the navigation lists, in its order. */
import type { Ability } from "../domain/abilities.ts";
import type { IconName } from "./components/icon.tsx";

export interface NavigationEntry {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
  /** The ability that a user needs to see the page; absent if everyone sees it. */
  readonly needs?: Ability;
}

/** The groups of the navigation. Lines separate them. */
export const NAVIGATION: readonly (readonly NavigationEntry[])[] = [
  [
    { path: "/", label: "Overview", icon: "overview" },
    { path: "/tasks", label: "Tasks", icon: "tasks" },
    { path: "/runs", label: "Runs", icon: "runs" },
    { path: "/schedule", label: "Schedule", icon: "schedule" },
  ],
  [
    { path: "/backups", label: "Backups", icon: "backups" },
    { path: "/restore", label: "Restore", icon: "restore", needs: "restore-backups" },
    { path: "/verification", label: "Verification", icon: "verification" },
  ],
  [
    { path: "/servers", label: "Servers", icon: "servers" },
    { path: "/destinations", label: "Destinations", icon: "destinations" },
    { path: "/alerts", label: "Alerts", icon: "alerts" },
  ],
  [
    { path: "/security", label: "Security", icon: "security" },
    { path: "/installation", label: "Installation", icon: "installation", needs: "admin" },
    { path: "/help", label: "Help", icon: "help" },
  ],
];

/**
 * Returns the navigation entry of the page at `path`. A subpage has the entry of the page above it. Undefined
 * if there is no entry.
 */
export function entryOf(path: string): NavigationEntry | undefined {
  return NAVIGATION.flat().find((entry) =>
    entry.path === "/" ? path === "/" : path === entry.path || path.startsWith(`${entry.path}/`)
  );
}
