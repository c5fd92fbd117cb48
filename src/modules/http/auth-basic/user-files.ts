/*
 * User files (htpasswd): a line a user, `name:hash` and perhaps more behind another colon. A file is read anew when it
 * has changed.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

/** A file as it was read: the hash of each user, all in latin1. */
interface UserFile {
  readonly stamp: string;
  readonly hashes: ReadonlyMap<string, string>;
}

/** A path with variables may name many. */
const MAX_FILES = 100;
const files = new Map<string, UserFile>();

/** The users of a file with their hashes. Throws the system's error when it can't be read. */
export function readUserFile(path: string): ReadonlyMap<string, string> {
  const descriptor = openSync(path, 'r');
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = fstatSync(descriptor);
    const stamp = [dev, ino, size, mtimeMs, ctimeMs].join(' ');
    const known = files.get(path);
    if (known?.stamp === stamp) return known.hashes;
    const hashes = parseUsers(readFileSync(descriptor, 'latin1'));
    if (files.size >= MAX_FILES) files.clear();
    files.set(path, { stamp, hashes });
    return hashes;
  } finally {
    closeSync(descriptor);
  }
}

/** The first line of a user counts. */
export function parseUsers(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0 || line.startsWith('#') || line.startsWith('\r')) continue;
    const user = line.slice(0, colon);
    if (!hashes.has(user)) hashes.set(user, line.slice(colon + 1).split(/[\r:]/, 1)[0]!);
  }
  return hashes;
}
