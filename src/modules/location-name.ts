/*
 * What a location is called where people read of it: in metrics and traces.
 */
import type { Scope } from '../conf/schema/scope.js';
import { toByteString } from '../conf/syntax/source-text.js';

/** As written behind `location`; null on the level of a server. */
export function locationName(scope: Scope): string | null {
  const opener = scope.within('location')?.opener ?? null;
  return opener === null ? null : toByteString(opener.node.args.map(({ text }) => text).join(' '));
}
