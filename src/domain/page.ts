/** Selects the rows of a page of a listing. */
export interface PageWindow {
  readonly offset: number;
  /** At least 1. */
  readonly limit: number;
}
