/** The contents of a backup: a directory, whose entries can be checked and opened. Works without scripts. */
import { FormFields, TextArea } from "../../components/form.tsx";
import { count, counted } from "../../components/number.tsx";
import { Empty } from "../../components/table.tsx";
import { path } from "../../site.ts";
import type { View } from "../../view.ts";
import type { Browse, Listing } from "./browse.ts";
import { EntryRow } from "./entry_row.tsx";
import { FilePath } from "./file_name.tsx";
import { pack } from "./selection.ts";
import { SelectionBar } from "./selection_bar.tsx";

const KEY_HINT = "The backup is encrypted to recipients, and the control plane has no key of theirs. Paste " +
  "the line AGE-SECRET-KEY-1… of one of them. The key is used for this only, and never stored.";

interface BrowserProps {
  readonly view: View;
  readonly browse: Browse;
  readonly listing: Listing;
}

/**
 * Shows a directory. Every link in it is a button of the same form. So when a person follows a link, the
 * browser also sends which entries are checked.
 */
export function FileBrowser({ view, browse, listing }: BrowserProps) {
  const { backup } = browse;
  const needsIdentity = backup.encryption === "recipients" && "problem" in listing &&
    (browse.identity === null || listing.identityError !== undefined);
  if (needsIdentity) return <IdentityForm view={view} browse={browse} listing={listing} />;
  const shown = "list" in listing ? listing.list.rows : [];
  return (
    <form method="post" action={view.path(path`/backups/${backup.id}/browse`)} class="browse">
      <BrowseFields view={view} browse={browse} />
      <input type="hidden" name="shown" value={pack(shown.map((entry) => entry.path))} />
      {browse.identity === null ? null : <input type="hidden" name="identity" value={browse.identity} />}
      <button class="hidden" type="submit" name="do" value="filter" tabindex={-1} aria-hidden="true"></button>
      <div class="browse-bar">
        <Crumbs browse={browse} />
        <div class="browse-filter">
          <label class="hidden" for="name">Names in this directory that contain</label>
          <input
            id="name"
            name="name"
            type="search"
            value={browse.name}
            placeholder="Filter this directory"
          />
          <button class="button quiet" type="submit" name="do" value="filter">Filter</button>
        </div>
      </div>
      {"problem" in listing
        ? <p class="notice warn" role="status">{listing.problem}</p>
        : <Entries view={view} browse={browse} listing={listing} />}
      <SelectionBar view={view} browse={browse} shown={shown} />
    </form>
  );
}

function BrowseFields({ view, browse }: { view: View; browse: Browse }) {
  const { place, page, selection } = browse;
  const fields = { place, page, at: pack([browse.path]), chosen: pack(selection.paths) };
  return <FormFields view={view} fields={fields} />;
}

/** Asks for the secret key of a recipient. The key is sent in a form, never in an address. */
function IdentityForm({ view, browse, listing }: BrowserProps) {
  return (
    <form
      method="post"
      action={view.path(path`/backups/${browse.backup.id}/browse`)}
      class="form-wide"
      autocomplete="off"
    >
      <BrowseFields view={view} browse={browse} />
      <TextArea
        name="identity"
        label="Secret key of a recipient"
        mono
        rows={3}
        value=""
        error={"problem" in listing ? listing.identityError : undefined}
        hint={KEY_HINT}
      />
      <div class="buttons">
        <button class="button" type="submit">Show the contents</button>
      </div>
    </form>
  );
}

/** The directories above the shown one. */
function Crumbs({ browse }: { browse: Browse }) {
  const names = browse.path === "" ? [] : browse.path.split("/");
  const root = browse.backup.original_directory ?? "All files";
  return (
    <nav class="crumbs" aria-label="Directories above">
      {[root, ...names].map((name, depth) => (
        <span key={depth}>
          {depth === names.length
            ? <strong aria-current="location">{<FilePath path={name} />}</strong>
            : (
              <button class="link" type="submit" name="up" value={depth}>
                <FilePath path={name} />
              </button>
            )}
        </span>
      ))}
    </nav>
  );
}

function Entries({ view, browse, listing }: {
  view: View;
  browse: Browse;
  listing: Extract<Listing, { list: unknown }>;
}) {
  const { list, unlisted } = listing;
  if (list.total === 0) {
    return (
      <Empty title={browse.name === "" ? "This directory is empty." : "No name here contains this text."}>
        {browse.name === ""
          ? null
          : (
            <a href={view.path(`/backups/find?${new URLSearchParams({ name: browse.name })}`)}>
              Search for it in all directories of all backups
            </a>
          )}
      </Empty>
    );
  }
  const mayRestore = view.may("restore-backups");
  return (
    <>
      <div class="scroll" tabindex={0} role="region" aria-label="Contents of the directory">
        <table class="table entries">
          <caption class="hidden">Contents of the directory</caption>
          <thead>
            <tr>
              {mayRestore
                ? (
                  <th scope="col" class="tick">
                    <span class="hidden">Select</span>
                    <input type="checkbox" data-check-all aria-label="Select all shown here" hidden />
                  </th>
                )
                : null}
              <th scope="col">Name</th>
              <th scope="col" class="number">Size</th>
              <th scope="col" class="number">Changed</th>
              <th scope="col" class="wide">Mode</th>
              <th scope="col" class="wide number">Owner</th>
              <th scope="col" class="action">
                <span class="hidden">Download</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.rows.map((entry, index) => (
              <EntryRow key={index} view={view} browse={browse} entry={entry} index={index} />
            ))}
          </tbody>
        </table>
      </div>
      {list.pages === 1 ? null : (
        <div class="pages" role="navigation" aria-label="Pages">
          <PageButton page={list.page - 1} of={list.pages} text="Previous" />
          <span class="muted number">
            Page {count(list.page)} of {count(list.pages)} · {count(list.total)} in all
          </span>
          <PageButton page={list.page + 1} of={list.pages} text="Next" />
        </div>
      )}
      {unlisted === 0 ? null : (
        <p class="muted small">
          {counted(unlisted, "entry", "entries")}{" "}
          of the index can't be read and may be missing here. A restore of everything includes them.
        </p>
      )}
    </>
  );
}

function PageButton({ page, of, text }: { page: number; of: number; text: string }) {
  const hasPage = page >= 1 && page <= of;
  return (
    <button class="button quiet" type="submit" name="to_page" value={page} disabled={!hasPage}>{text}</button>
  );
}
