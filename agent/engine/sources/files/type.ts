import type { FilesSource, FilesTarget } from "../../../../src/definitions/sources/files.ts";
import { restoreFiles } from "../../restore_files/files.ts";
import { previewFiles } from "../../restore_files/preview.ts";
import type { SourceType } from "../source_type.ts";
import { drillFiles } from "./drill.ts";
import { checkEnd, prepareFiles } from "./files.ts";

export const files: SourceType<FilesSource, FilesTarget> = {
  prepare: prepareFiles,
  formats: { tar: { checkEnd: (_label, end) => checkEnd(end) } },
  programs: ["tar"],
  restore: restoreFiles,
  preview: previewFiles,
  drill: (_target, context) => drillFiles(context),
};
