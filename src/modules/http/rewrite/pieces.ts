/*
 * Texts of the rewrite module, where the groups of a regular expression may have to be escaped: what was decoded from
 * a path must not gain a meaning when it becomes an argument.
 */
import { toByteString } from '../../../conf/syntax/source-text.js';
import type { TextPart } from '../../../conf/values/variable-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { escapeUri } from '../../../request/uri-escape.js';
import type { Text } from '../../../variables/text.js';
import type { HttpBuild } from '../../module.js';

/** One piece: as it stands, what variables say, or a group by its number. */
export type Piece = string | number | Text<HttpRequest>;

/** Binds the parts of a text. `at` is where an unknown variable is told of. */
export function bindPieces(
  parts: readonly TextPart[],
  at: Parameters<HttpBuild['text']>[1],
  build: HttpBuild,
): Piece[] {
  return parts.map((part) => {
    if (part.kind === 'literal') return toByteString(part.text);
    return part.kind === 'capture' ? part.group : build.text([part], at);
  });
}

/** The text of pieces. Groups are escaped if `quotes` and the path that they are of came with escapes or a '+'. */
export function joinPieces(pieces: readonly Piece[], request: HttpRequest, quotes: boolean): string {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else if (typeof piece === 'number') text += capture(request, piece, quotes);
    else text += piece.evaluate(request);
  }
  return text;
}

function capture(request: HttpRequest, group: number, quotes: boolean): string {
  const text = request.captures?.[group] ?? '';
  return quotes && (request.isPathQuoted || request.hasPlusInPath) ? escapeUri(text, 'argument') : text;
}
