/**
 * Bytes of the longest member name that a program can open: PATH_MAX, limits.h(0p), counts `./` and a NUL as
 * well.
 */
export const LONGEST_NAME = 4096 - "./".length - 1;
