/** Which rows of a listing are asked for. */
export interface PageWindow {
  readonly offset: number;
  /** At least 1. */
  readonly limit: number;
}
