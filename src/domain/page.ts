/** Says which rows of a listing are on a page. */
export interface PageWindow {
  readonly offset: number;
  /** Maximum number of rows; at least 1. */
  readonly limit: number;
}
