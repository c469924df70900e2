/** One page of a listing, and how many rows there are in all. */
export interface Page<Row> {
  rows: Row[];
  total: number;
}
