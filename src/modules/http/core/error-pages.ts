/*
 * `error_page`: which statuses go where.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed } from '../../../conf/schema/scope.js';
import type { Word } from '../../../conf/syntax/ast.js';
import type { ErrorPage } from '../../../request/settings.js';
import type { HttpBuild } from '../../module.js';
import type { errorPage } from './directives.js';

type ErrorPageDirective = Placed<(typeof errorPage)['args']>;

/** Statuses that only logs know: clients are told 400. */
const SHOWN_AS_400: ReadonlySet<number> = new Set([494, 495, 496, 497]);

/** By status; the first directive that names one counts. */
export function errorPagesOf(
  directives: readonly ErrorPageDirective[],
  build: HttpBuild,
): ReadonlyMap<number, ErrorPage> {
  const pages = new Map<number, ErrorPage>();
  for (const directive of directives) {
    const { args } = directive.node;
    const answered = readAnswer(args[args.length - 2]!, build);
    const codes = args.slice(0, answered === null ? -1 : -2);
    if (codes.length === 0) {
      const message = `"error_page" names no status before "${args[0]!.text}"`;
      build.report(
        args[0]!,
        finding(
          'error-page',
          message,
          'write it as: error_page 404 /404.html',
          `invalid value "${args[0]!.text}"`,
        ),
      );
    }
    const uri = build.text(directive.values[args.length - 1]!, args[args.length - 1]!);
    for (const word of codes) {
      const code = readCode(word, build);
      if (code === 0 || pages.has(code)) continue;
      pages.set(code, { uri, status: answered ?? (SHOWN_AS_400.has(code) ? 400 : -1) });
    }
  }
  return pages;
}

/** What `=` or `=200` says; null where the word is a status like any other. */
function readAnswer(word: Word, build: HttpBuild): number | 'own' | null {
  if (!word.text.startsWith('=')) return null;
  const text = word.text.slice(1);
  if (text === '') return 'own';
  if (/^\d+$/.test(text)) return Number(text);
  const hint = 'use = or = and a status, such as =200';
  build.report(
    word,
    finding('error-page', `Cannot take "${word.text}" as an answer`, hint, `invalid value "${word.text}"`),
  );
  return 'own';
}

function readCode(word: Word, build: HttpBuild): number {
  const code = /^\d+$/.test(word.text) ? Number(word.text) : 0;
  if (code === 499) {
    const message = 'Cannot have an error page for 499: that client is gone';
    build.report(word, finding('error-page', message, null, 'value "499" is not allowed'));
    return 0;
  }
  if (code >= 300 && code <= 599) return code;
  const message = `Cannot take status "${word.text}"`;
  build.report(
    word,
    finding('error-page', message, 'use 300 to 599', `value "${word.text}" must be between 300 and 599`),
  );
  return 0;
}
