import type { ControlPlaneSource } from "../../../../src/definitions/sources/control_plane.ts";
import { checkClosing } from "../database/dump_messages.ts";
import type { SourceType } from "../source_type.ts";
import { CLOSING, prepareControlPlane } from "./control_plane.ts";

/**
 * Source type for backups of the control plane. Agents can't restore these backups. Only a new control plane
 * can load them: see `src/admin/recover.ts`.
 */
export const controlPlane: SourceType<ControlPlaneSource, never> = {
  prepare: prepareControlPlane,
  formats: { sql: { checkEnd: (label, { tail }) => checkClosing(label, tail, CLOSING) } },
  programs: [],
};
