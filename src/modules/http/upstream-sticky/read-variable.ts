/*
 * `$name` where nothing but the name of a variable may stand.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Word } from '../../../conf/syntax/ast.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Text } from '../../../variables/text.js';
import type { UpstreamBuild } from '../../module.js';

/** The variable that a word names from `start` on; null, and reported in nginx's words, if it names none. */
export function readVariable(
  word: Word,
  start: number,
  build: UpstreamBuild,
  nginxText: string,
): Text<HttpRequest> | null {
  const name = word.text.slice(start);
  if (name.startsWith('$'))
    return build.text([{ kind: 'variable', name: name.slice(1).toLowerCase() }], word);
  build.report(
    word,
    finding('sticky', `Cannot take "${name}": name a variable`, 'such as $arg_route', nginxText),
  );
  return null;
}
