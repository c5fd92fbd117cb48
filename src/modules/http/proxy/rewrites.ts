/*
 * Changing a part of a field's value by the first of several rules that fits: what proxy_redirect, proxy_cookie_domain
 * and proxy_cookie_path have in common.
 */

import type { Word } from '../../../conf/syntax/ast.js';
import type { Matcher } from '../../../conf/values/regex.js';
import { Refusal } from '../../../conf/values/value-type.js';
import { variableText } from '../../../conf/values/variable-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Text } from '../../../variables/text.js';
import type { LocationBuild } from '../../module.js';

/** The value as it becomes; null where the rule does not fit. */
export type Rewrite = (request: HttpRequest, value: string) => string | null;

/** Replaces the beginning, or all of what a regular expression matches. */
export function makeRewrite(
  pattern: Matcher,
  patternWord: Word,
  replacement: Text<HttpRequest>,
  build: LocationBuild,
): Rewrite {
  if (pattern.kind === 'regex') {
    const regex = build.regex(pattern.regex, patternWord);
    return (request, value) => (regex.match(request, value) ? replacement.evaluate(request) : null);
  }
  const start = textOf(pattern.text, patternWord, build);
  return (request, value) => {
    const begin = start.constant ?? start.evaluate(request);
    return value.startsWith(begin) ? replacement.evaluate(request) + value.slice(begin.length) : null;
  };
}

/** A text with variables out of a word that was taken as it is; one that is none is reported. */
export function textOf(text: string, word: Word, build: LocationBuild): Text<HttpRequest> {
  const parts = variableText.parse(text);
  if (!(parts instanceof Refusal)) return build.text(parts, word);
  build.report(word, {
    code: 'value',
    severity: 'error',
    message: parts.message,
    hint: null,
    nginxText: parts.nginxText(''),
  });
  return build.text([], word);
}

/** The first that fits. */
export function firstOf(rules: readonly Rewrite[]): Rewrite {
  return (request, value) => {
    for (const rule of rules) {
      const rewritten = rule(request, value);
      if (rewritten !== null) return rewritten;
    }
    return null;
  };
}
