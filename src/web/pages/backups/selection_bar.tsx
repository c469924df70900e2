/** The bar under a directory's entries: what is selected, and what to do with it. */
import { Icon } from "../../components/icon.tsx";
import { counted } from "../../components/number.tsx";
import type { View } from "../../view.ts";
import type { Browse, Entry } from "./browse.ts";
import { FilePath, visibleName } from "./file_name.tsx";

interface BarProps {
  readonly view: View;
  readonly browse: Browse;
  /** The entries whose checkboxes are on the page. */
  readonly shown: readonly Entry[];
}

/**
 * Shows how many entries are selected. The style sheet counts the checked boxes of this page, so that the
 * number is right even without scripts.
 */
export function SelectionBar({ view, browse, shown }: BarProps) {
  if (!view.may("restore-backups")) return null;
  const here = new Set(shown.map((entry) => entry.path));
  const elsewhere = browse.selection.paths.filter((path) => !here.has(path));
  const all = `/restore?backup_id=${browse.backup.id}&step=where`;
  return (
    <div class="selection-bar">
      <div class="selection-text">
        <span>
          <strong class="checked-here"></strong> selected here
        </span>
        {elsewhere.length === 0 ? null : (
          <details>
            <summary>{counted(elsewhere.length, "item")} selected elsewhere</summary>
            <ul class="plain">
              {elsewhere.map((path) => (
                <li key={path}>
                  <FilePath path={path} />{" "}
                  <button
                    class="link"
                    type="submit"
                    name="drop"
                    value={browse.selection.paths.indexOf(path)}
                    aria-label={`Deselect ${visibleName(path)}`}
                  >
                    Deselect
                  </button>
                </li>
              ))}
            </ul>
            <button class="link" type="submit" name="do" value="clear">Deselect all</button>
          </details>
        )}
      </div>
      <div class="buttons">
        <a class="button quiet" href={view.path(all)}>
          {browse.place === "restore" ? "Continue with everything" : "Restore everything"}
        </a>
        <button class="button" type="submit" name="do" value="restore">
          <Icon name="restore" />
          {browse.place === "restore" ? "Continue with the selected" : "Restore selected"}
        </button>
      </div>
    </div>
  );
}

/** Returns the address of the page that restores the selected items. */
export function restorePath({ backup, selection }: Browse): string {
  const query = new URLSearchParams([["backup_id", String(backup.id)], ...selection.fields()]);
  return `/restore?${query}`;
}
