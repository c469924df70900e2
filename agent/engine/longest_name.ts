/**
 * Length in bytes of the longest member name that a program can open. The system's limit, PATH_MAX in
 * limits.h(0p), also counts `./` and a NUL.
 */
export const LONGEST_NAME = 4096 - "./".length - 1;
