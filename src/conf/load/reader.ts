/*
 * What the loader asks of a file system, so that this room does no I/O itself: a test gives it a map, the
 * command the disk.
 */

/** Why a file cannot be read: "ENOENT", 2. */
export interface ReadFailure {
  readonly code: string;
  /** errno, positive. */
  readonly number: number;
}

/** A file system, as far as configuration needs one. Neither method throws. */
export interface ConfReader {
  /** The text of a file; bytes become text by decodeConf. */
  readFile(path: string): string | ReadFailure;
  /** The names in a folder, in any order, without "." and ".."; null when it is none or cannot be read. */
  listFolder(path: string): readonly string[] | null;
}
