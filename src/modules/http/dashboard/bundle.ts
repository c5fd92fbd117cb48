/*
 * The files of the page, as `npm run build` makes them of the folder dashboard/.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file as it is sent. */
export interface BundledFile {
  readonly type: string;
  /** Bytes as latin1. */
  readonly text: string;
  readonly etag: string;
}

/** The same from src/ and from dist/. */
const FOLDER = new URL('../../../../dist/dashboard/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'licenses.txt': 'text/plain; charset=utf-8',
};

const files = new Map<string, BundledFile>();

/** The file of that name; undefined for none. Read when it is first asked for. Throws what reading throws. */
export function bundledFile(name: string): BundledFile | undefined {
  if (!Object.hasOwn(TYPES, name)) return undefined;
  let file = files.get(name);
  if (file === undefined) {
    const text = readFileSync(new URL(name, FOLDER), 'latin1');
    const etag = `"${createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16)}"`;
    file = { type: TYPES[name]!, text, etag };
    files.set(name, file);
  }
  return file;
}
