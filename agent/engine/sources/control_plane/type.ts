import type { ControlPlaneSource } from "../../../../src/definitions/sources/control_plane.ts";
import { checkClosing } from "../database/dump_messages.ts";
import type { SourceType } from "../source_type.ts";
import { CLOSING, prepareControlPlane } from "./control_plane.ts";

/**
 * Source type that agents do not restore. Only a new control plane can load the state: see
 * `src/admin/recover.ts`.
 */
export const controlPlane: SourceType<ControlPlaneSource, never> = {
  prepare: prepareControlPlane,
  formats: { sql: { checkEnd: (label, { tail }) => checkClosing(label, tail, CLOSING) } },
  programs: [],
};
