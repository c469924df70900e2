/** The pages of verifications and drills. */
import type { Site } from "../../site.ts";
import { addVerificationList } from "./list.tsx";
import { addVerificationRecord } from "./record.tsx";

export function addVerificationPages(site: Site): void {
  addVerificationList(site);
  addVerificationRecord(site);
}
