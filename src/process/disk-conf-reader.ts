/*
 * The files of a configuration on disk.
 */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import type { ConfReader, ReadFailure } from '../conf/load/reader.js';
import { decodeConf } from '../conf/syntax/source-text.js';

export const diskConfReader: ConfReader = {
  readFile(path) {
    try {
      return decodeConf(readFileSync(path));
    } catch (error) {
      return failureOf(error as NodeJS.ErrnoException);
    }
  },
  listFolder(path) {
    try {
      return readdirSync(path);
    } catch {
      return null;
    }
  },
};

/** Why a file could not be read. */
function failureOf(error: NodeJS.ErrnoException): ReadFailure {
  return { code: error.code ?? 'UNKNOWN', number: Math.abs(error.errno ?? 0) };
}

/** Why a file that a configuration names can't be opened; null if it can. */
export function probeFile(path: string): ReadFailure | null {
  try {
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    return failureOf(error as NodeJS.ErrnoException);
  }
}
