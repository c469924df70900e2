/** Selects the rows of a listing that are on one page. */
export interface PageWindow {
  readonly offset: number;
  /** Maximum number of rows; at least 1. */
  readonly limit: number;
}
