/** Adds the pages of backup tasks. */
import type { Site } from "../../site.ts";
import { addTaskActions } from "./actions.ts";
import { addBulkAction } from "./bulk.tsx";
import { addTaskList } from "./list.tsx";
import { addTaskPage } from "./task.tsx";
import { addTriggerActions } from "./trigger.tsx";

export function addTaskPages(site: Site): void {
  addTaskList(site);
  addBulkAction(site);
  addTaskPage(site);
  addTaskActions(site);
  addTriggerActions(site);
}
