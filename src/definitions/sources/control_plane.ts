/**
 * The control plane's own state. The agent fetches it from the control plane with `GET /api/agent/export`.
 */
import * as z from "zod";
import { defineSource } from "./definition.ts";

export const ControlPlaneSource = z.object({ type: z.literal("control_plane") });
export type ControlPlaneSource = z.infer<typeof ControlPlaneSource>;

export const control_plane = defineSource({
  label: "the control plane",
  taskType: "control_plane",
  holds: "the control plane's own state",
  engine: "rearguard",
  fields: {},
  note: "`control_plane` is this control plane's own database: for tokens with the `admin` ability.",
  isForAdministrators: true,
  since: 2,
  jobShape: ControlPlaneSource,
  job: (): ControlPlaneSource => ({ type: "control_plane" }),
  restore: {
    refusal:
      "The backup holds the control plane's own state. `deno task admin recover` creates a new control plane from it.",
    drillRefusal: "The backup holds the control plane's own state, which no drill restores. " +
      "Verify it, or try `deno task admin recover` on another machine.",
  },
});
