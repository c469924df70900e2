/** One entry of a directory of a backup. */
import { Icon } from "../../components/icon.tsx";
import { Bytes } from "../../components/number.tsx";
import { Moment } from "../../components/time.tsx";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import type { Browse, Entry } from "./browse.ts";
import { FileIcon, FilePath, visibleName } from "./file_name.tsx";

interface RowProps {
  readonly view: View;
  readonly browse: Browse;
  readonly entry: Entry;
  readonly index: number;
}

export function EntryRow({ view, browse, entry, index }: RowProps) {
  const { selection, backup } = browse;
  const inside = selection.directoryOf(entry.path);
  const name = visibleName(entry.name);
  const isFile = entry.type === "file";
  const mayRestore = view.may("restore-backups");
  return (
    <tr>
      {mayRestore
        ? (
          <td class="tick">
            <input
              type="checkbox"
              name="check[]"
              value={index}
              checked={inside !== null || selection.has(entry.path)}
              disabled={inside !== null}
              title={inside === null ? undefined : `In ${visibleName(inside)}, which is selected`}
              aria-label={`Select ${name}`}
            />
          </td>
        )
        : null}
      <th scope="row" class="main">
        <span class="entry">
          <FileIcon type={entry.type} />
          {entry.type === "directory"
            ? (
              <button class="link" type="submit" name="open" value={index}>
                <FilePath path={entry.name} />
              </button>
            )
            : <FilePath path={entry.name} />}
          {entry.link_target === null ? null : (
            <span class="muted">
              → <FilePath path={entry.link_target} />
            </span>
          )}
        </span>
      </th>
      <td class="number" data-label="Size">
        {isFile ? <Bytes value={entry.size} /> : <span class="muted">{isOther(entry)}</span>}
      </td>
      <td class="number" data-label="Changed">
        <Moment view={view} at={entry.modified_at} />
      </td>
      <td class="wide mono">{entry.mode}</td>
      <td class="wide number">{entry.uid}:{entry.gid}</td>
      <td class="action">
        {isFile && mayRestore && backup.encryption !== "recipients"
          ? (
            <a
              class="button quiet"
              download
              href={view.path(
                path`/api/backups/${backup.id}/files/download` +
                  `?${new URLSearchParams({ path: entry.path })}`,
              )}
              aria-label={`Download ${name}`}
            >
              <Icon name="download" />
            </a>
          )
          : null}
      </td>
    </tr>
  );
}

function isOther({ type }: Entry): string {
  return type === "directory" ? "–" : type.replaceAll("_", " ");
}
