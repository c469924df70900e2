/** The step in which a person chooses what to restore: everything, or some of the backup. */
import type { View } from "../../view.ts";
import { type Browse, type Listing } from "../backups/browse.ts";
import { Databases } from "../backups/databases.tsx";
import { FileBrowser } from "../backups/file_browser.tsx";
import { fieldsOf, planOf } from "./plan.ts";
import { RestoreHeading } from "./steps.tsx";

interface WhatProps {
  readonly view: View;
  readonly browse: Browse;
  /** Null for a backup of databases. */
  readonly listing: Listing | null;
}

export function RestoreWhat({ view, browse, listing }: WhatProps) {
  const plan = { ...planOf(browse.backup, fieldsOf(view)), selection: browse.selection };
  return (
    <>
      <RestoreHeading view={view} step={2} plan={plan} />
      {listing === null
        ? <Databases view={view} backup={browse.backup} />
        : <FileBrowser view={view} browse={browse} listing={listing} />}
    </>
  );
}
