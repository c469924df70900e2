/** A found file with its versions, each with the backups that contain it. */
import type { Schema } from "../../../client/client.ts";
import { Bytes, counted } from "../../components/number.tsx";
import { ExactTime, Moment } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import { FileIcon, FilePath, visibleName } from "./file_name.tsx";
import { Selection } from "./selection.ts";

type FoundFile = Schema<"FoundFile">;
type Version = FoundFile["versions"][number];

/** A table of found files. Each file is a group of rows, one for each of its versions. */
export function FoundFiles({ view, files }: { view: View; files: readonly FoundFile[] }) {
  return (
    <div class="scroll" tabindex={0} role="region" aria-label="Found files">
      <table class="table found">
        <caption class="hidden">Found files with their versions, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col" class="number">Size</th>
            <th scope="col">In the backups of</th>
            <th scope="col" class="action">
              <span class="hidden">Restore</span>
            </th>
          </tr>
        </thead>
        {files.map((file, index) => <FileVersions key={index} view={view} file={file} />)}
      </table>
    </div>
  );
}

function FileVersions({ view, file }: { view: View; file: FoundFile }) {
  const { path, backup_task: task, versions } = file;
  const mayRestore = view.may("restore-backups");
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colspan={4}>
          <span class="entry">
            <FileIcon type={versions[0]?.type ?? "file"} />
            <FilePath path={path} />
            <span class="muted">
              {task === null
                ? "of a deleted task"
                : <a href={view.path(`/tasks/${task.id}`)}>{task.label}</a>}
            </span>
          </span>
        </th>
      </tr>
      {versions.map((version, index) => (
        <tr key={index}>
          <th scope="row" class="version">
            <ExactTime view={view} at={version.modified_at} />
          </th>
          <td class="number" data-label="Size">
            {version.type === "file"
              ? <Bytes value={version.size} />
              : <span class="muted">{version.type.replaceAll("_", " ")}</span>}
          </td>
          <td data-label="In the backups of">
            <InBackups view={view} version={version} />
          </td>
          <td class="action">
            {mayRestore ? <RestoreLink view={view} path={path} version={version} /> : null}
          </td>
        </tr>
      ))}
    </tbody>
  );
}

/** The newest and the oldest backup that contain a version. */
function InBackups({ view, version: { backups } }: { view: View; version: Version }) {
  const [newest, oldest] = [backups[0], backups.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const link = ({ id, created_at }: typeof newest) => (
    <a href={view.path(`/backups/${id}`)}>
      <Moment view={view} at={created_at} />
    </a>
  );
  if (newest === oldest) return link(newest);
  return (
    <span>
      {link(oldest)} to {link(newest)} <span class="muted">({counted(backups.length, "backup")})</span>
    </span>
  );
}

interface LinkProps {
  readonly view: View;
  readonly path: string;
  readonly version: Version;
}

function RestoreLink({ view, path, version }: LinkProps) {
  const [backup] = version.backups;
  if (backup === undefined) return null;
  const query = new URLSearchParams([["backup_id", String(backup.id)], ...Selection.of([path]).fields()]);
  return (
    <a
      class="button quiet"
      href={view.path(`/restore?${query}`)}
      aria-label={`Restore this version of ${visibleName(path)}`}
    >
      Restore this version
    </a>
  );
}
