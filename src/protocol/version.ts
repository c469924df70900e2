/**
 * Version of the protocol: one integer, raised with every change that an older peer would misread.
 *
 * - 1 (2026-11-24): first version.
 * - 2 (2026-11-25): restores: jobs of kind `restore`, `download.*`, a backup names its source; a job names
 *   its encryption: none, password or recipients; sources of type `control_plane`; drills of
 *   databases; backups read from another server (`relay`, `stored`); `traceparent` with `run.start`,
 *   `run.event` and requests about uploads and downloads.
 * - 3 (2026-11-29): incomplete backups (`accepts_incomplete`, `missing`); restores of databases take
 *   `owners`, `definers` and `continue_on_errors`; `backup.browse` takes `search`, and its response has
 *   `unlisted`; `hello` carries the agent's seat; `refused` has the code `duplicate`; jobs carry the stall
 *   limits (`watch`, `lock_wait_ms`), progress reports a stall (`stalled_ms`, `waits_for`);
 *   `destination.delete` names `witnesses`.
 * - 4 (2026-11-30): in `welcome`, the field that tells an agent what to do with a run is renamed from
 *   `verdict` to `instruction`.
 * - 5 (2026-11-30): backup jobs carry `scripts`; progress has a `phase`; a failed run has a `backup` if
 *   the backup was stored and only a script failed after that.
 * - 6 (2026-11-30): `backup.find`; output events carry `warnings`; a stored backup has `unreadable_count`.
 * - 7 (2026-11-30): `server.browse`, `server.databases`, `server.inventory`, `restore.preview`; a restored
 *   backup has a `report`; a verification counts its objects (`objects_count`), a drill lists its databases
 *   (`databases`).
 */
export const PROTOCOL_VERSION = 7;
/** Oldest protocol version whose agents run scripts. */
export const PROTOCOL_SCRIPTS = 5;
/** Oldest protocol version whose agents search several backups in one request. */
export const PROTOCOL_FIND = 6;
/**
 * Oldest protocol version whose agents list a server's directories and databases, take its inventory, and
 * preview restores.
 */
export const PROTOCOL_EXPLORE = 7;
/** Oldest protocol version that this code supports. */
export const PROTOCOL_MIN = 1;

/** Returns the highest version that this code and the peer support; null if there is none. */
export function negotiate(peer: { min: number; max: number }): number | null {
  const highest = Math.min(PROTOCOL_VERSION, peer.max);
  return highest >= Math.max(PROTOCOL_MIN, peer.min) ? highest : null;
}
