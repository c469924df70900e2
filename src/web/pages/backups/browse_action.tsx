/**
 * The action of the form with a backup's contents: opens directories, keeps the selection, and leads to the
 * restore of what is selected.
 */
import { setFlash } from "../../flash.ts";
import { type ActionResult, addAction } from "../../page.tsx";
import { type Form, path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { RestoreWhat } from "../restore/what.tsx";
import { BackupPage } from "./backup_page.tsx";
import { type Backup, type Browse, browseOfForm, browsePath, listFiles } from "./browse.ts";
import { Selection, unpack } from "./selection.ts";
import { restorePath } from "./selection_bar.tsx";

export function addBrowseAction(site: Site): void {
  const route = "/backups/:id/browse";
  addAction(site, route, async (view, form, parameter) => {
    const backup = await view.get("/api/backups/{id}", { id: parameter("id") });
    return await next(view, form, backup);
  });
  // A browser might request the form's address with GET, for example when a person opens it again. Such a
  // request is redirected to the backup's page.
  site.app.get(route, (c) => site.redirect(c, path`/backups/${c.req.param("id")}`));
}

async function next(view: View, form: Form, backup: Backup): Promise<ActionResult> {
  const before = browseOfForm(form, backup);
  if (!before.selection.fits) {
    tell(view, "These are too many to select one by one. Select whole directories instead.");
    return { goTo: browsePath({ ...before, selection: Selection.read([], form.text("chosen")) }) };
  }
  if (form.text("do") === "restore") {
    if (!before.selection.isEmpty) return { goTo: restorePath(before) };
    tell(view, "Nothing is selected. Check the files and directories to restore.");
  }
  const browse = moved(before, form);
  if (browse.identity === null) return { goTo: browsePath(browse) };
  // The age secret key must not appear in a URL. So send the page as the response to the form, without a
  // redirect.
  const listing = await listFiles(view, browse);
  const shown = { view, browse, listing };
  return {
    title: "Backup",
    content: browse.place === "restore" ? <RestoreWhat {...shown} /> : <BackupPage {...shown} checks={[]} />,
    status: "list" in listing ? 200 : listing.status,
  };
}

/** Returns what the pressed button leads to. */
function moved(browse: Browse, form: Form): Browse {
  const first = { page: 1, name: "" };
  if (form.has("open")) {
    const opened = unpack(form.text("shown"))[Number(form.text("open"))];
    return opened === undefined ? browse : { ...browse, ...first, path: opened };
  }
  if (form.has("up")) {
    const depth = Number(form.text("up"));
    return { ...browse, ...first, path: browse.path.split("/").slice(0, depth).join("/") };
  }
  if (form.has("drop")) {
    const dropped = Selection.read([], form.text("chosen")).paths[Number(form.text("drop"))];
    return { ...browse, selection: browse.selection.without(dropped ?? "") };
  }
  if (form.has("to_page")) return { ...browse, page: Number(form.text("to_page")) || 1 };
  if (form.text("do") === "clear") return { ...browse, selection: Selection.none };
  return form.text("do") === "filter" ? { ...browse, page: 1 } : browse;
}

function tell(view: View, text: string): void {
  setFlash(view.c, { text, tone: "bad" });
}
