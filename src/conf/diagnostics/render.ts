/*
 * A finding as text, in two ways: for people, with the line it is about and a caret under the place; and as
 * nginx writes it into its error log, which tools match on. Time, process and level filter are log/'s.
 */
import { countCharacters, type Source, type Span } from '../syntax/source.js';
import { cutToBytes } from '../syntax/source-text.js';
import type { Diagnostic } from './diagnostic.js';

/** nginx's limit for the words of a message, in bytes. */
const MAX_LOG_BYTES = 1024;
/** Of a longer line people see the part around the place. */
const MAX_LINE = 120;
const MAX_MESSAGE = 400;

/** How findings are shown to people. */
export interface RenderOptions {
  /** The line and a caret, as for a terminal; without, a finding is one line. */
  readonly withSource: boolean;
  /** How a file is called; its name as it was opened unless given. */
  readonly nameOf?: (source: Source) => string;
}

/** `nginx.conf:14:5 unknown directive "proxy_pas"; did you mean "proxy_pass"?`, and its line below. */
export function renderForPeople(diagnostic: Diagnostic, options: RenderOptions): string {
  const hint = diagnostic.hint === null ? '' : `; ${diagnostic.hint}`;
  const warning = diagnostic.severity === 'warning' ? 'warning: ' : '';
  const lines = [place(diagnostic.span, options) + warning + visible(diagnostic.message + hint, MAX_MESSAGE)];
  if (options.withSource && diagnostic.span !== null) lines.push(...excerpt(diagnostic.span));
  for (const note of diagnostic.notes) {
    lines.push(place(note.span, options) + `note: ${visible(note.message, MAX_MESSAGE)}`);
  }
  return lines.join('\n');
}

/** `[emerg] unknown directive "proxy_pas" in /etc/nginx/nginx.conf:14` */
export function renderForLog(diagnostic: Diagnostic): string {
  const level = diagnostic.severity === 'error' ? 'emerg' : 'warn';
  return `[${level}] ${cutToBytes(diagnostic.nginxText, MAX_LOG_BYTES)}${logPlace(diagnostic)}`;
}

function logPlace({ span, logOffset }: Diagnostic): string {
  if (span === null) return '';
  const { source } = span;
  return source.isCommandLine ? ' in command line' : ` in ${source.name}:${source.lineAt(logOffset)}`;
}

function place(span: Span | null, { nameOf }: RenderOptions): string {
  if (span === null) return '';
  const { line, column } = span.source.positionAt(span.start);
  return `${nameOf?.(span.source) ?? span.source.name}:${line}:${column} `;
}

/** The first line of a span and carets under it. */
function excerpt(span: Span): string[] {
  const { source, start, end } = span;
  const line = source.lineAt(start);
  const text = source.lineText(line);
  const from = start - source.lineStart(line);
  const left = from > MAX_LINE / 2 ? from - MAX_LINE / 4 : 0;
  const shown = text.slice(left, left + MAX_LINE).replace(/\ufeff/g, '\ufffd');
  const marked = text.slice(from, Math.min(from + end - start, left + MAX_LINE));
  const gutter = String(line).padStart(4);
  // Tabs stay tabs, so that the caret stands right whatever their width.
  const padding = text.slice(left, from).replace(/[^\t]/gu, ' ');
  return [
    `${gutter} | ${visible(shown, MAX_LINE)}`.trimEnd(),
    `${' '.repeat(gutter.length)} | ${padding}${'^'.repeat(Math.max(1, countCharacters(marked)))}`,
  ];
}

/** One line without control characters, which could move the cursor, end the line or turn it around. */
function visible(text: string, limit: number): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}...` : text;
  return cut.replace(/(?!\t)\p{Cc}|[\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu, (character) => {
    return character === '\n' ? '\u2424' : character === '\ufeff' ? '<BOM>' : '\ufffd';
  });
}
