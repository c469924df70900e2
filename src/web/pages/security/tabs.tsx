/** The tabs of the security pages, and their common heading. */
import type { Child } from "hono/jsx";
import type { Ability } from "../../../domain/abilities.ts";
import { PageHeading } from "../../shell.tsx";
import type { View } from "../../view.ts";

const TABS: readonly { readonly path: string; readonly label: string; readonly needs?: Ability }[] = [
  { path: "/security", label: "Members" },
  { path: "/security/users", label: "Users", needs: "admin" },
  { path: "/security/tokens", label: "API tokens", needs: "manage-tokens" },
  { path: "/security/audit", label: "Audit log", needs: "manage-workspace" },
  { path: "/account", label: "Your account" },
];

export function SecurityFrame(
  { view, current, children, buttons }: { view: View; current: string; children: Child; buttons?: Child },
) {
  return (
    <>
      <PageHeading view={view} title="Security">{buttons}</PageHeading>
      <nav class="tabs" aria-label="Security">
        {TABS.filter(({ needs }) => needs === undefined || view.may(needs)).map(({ path, label }) => (
          <a key={path} href={view.path(path)} aria-current={path === current ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {children}
    </>
  );
}
