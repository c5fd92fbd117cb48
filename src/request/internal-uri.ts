/*
 * A URI that an answer names for us to serve (SSI's include, X-Accel-Redirect), which is split and decoded, and
 * refused where it would lead out of its folder.
 */
import { unescapeUri } from './uri-escape.js';

/** The path, decoded, and the arguments behind its '?'. */
export interface InternalUri {
  readonly path: string;
  readonly args: string;
}

/** Splits a URI; null for an unsafe one: empty, or with "..", or a zero byte. */
export function parseInternalUri(text: string): InternalUri | null {
  const mark = text.indexOf('?');
  const raw = mark < 0 ? text : text.slice(0, mark);
  const path = unescapeUri(raw);
  if (raw === '' || isUnsafe(raw) || isUnsafe(path)) return null;
  return { path, args: mark < 0 ? '' : text.slice(mark + 1) };
}

function isUnsafe(path: string): boolean {
  return path.includes('\0') || /(?:^|\/)\.\.(?:\/|$)/.test(path);
}
