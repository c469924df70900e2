/**
 * Maximum length of a member name that a program can open, in bytes. The system's limit is 4096 bytes for the
 * whole path (PATH_MAX in limits.h(0p)). The path also contains `./` before the name and a NUL after it.
 */
export const LONGEST_NAME = 4096 - "./".length - 1;
