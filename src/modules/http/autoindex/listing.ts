/*
 * The listings of autoindex, byte for byte as nginx writes them: scripts read them. All texts are bytes in latin1.
 */
import { formatHttpDate } from '../../../core/http-date.js';
import { escapeUri } from '../../../request/uri-escape.js';

/** One line. */
export interface ListedEntry {
  readonly name: string;
  readonly kind: 'directory' | 'file' | 'other';
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
}

/** How HTML is to look. */
export interface HtmlStyle {
  readonly isExactSize: boolean;
  readonly isLocalTime: boolean;
  /** Names are counted and cut by characters. */
  readonly isUtf8: boolean;
}

/** Folders first, then by the bytes of names. */
export function compareEntries(a: ListedEntry, b: ListedEntry): number {
  const isFolderA = a.kind === 'directory';
  if (isFolderA !== (b.kind === 'directory')) return isFolderA ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** As `text/html`, of the folder with that path. */
export function listAsHtml(path: string, entries: readonly ListedEntry[], style: HtmlStyle): string {
  const title = escapeHtml(path);
  let page =
    `<html>\r\n<head><title>Index of ${title}</title></head>\r\n<body>\r\n<h1>Index of ${title}</h1>` +
    '<hr><pre><a href="../">../</a>\r\n';
  for (const entry of entries) page += htmlLine(entry, style);
  return `${page}</pre><hr></body>\r\n</html>\r\n`;
}

const NAME_WIDTH = 50;

function htmlLine(entry: ListedEntry, { isExactSize, isLocalTime, isUtf8 }: HtmlStyle): string {
  const isFolder = entry.kind === 'directory';
  const slash = isFolder ? '/' : '';
  const link = `<a href="${escapeUri(entry.name, 'component')}${slash}">${shownName(entry, isUtf8)}`;
  return `${link} ${htmlDate(entry.modified, isLocalTime)} ${htmlSize(entry, isExactSize)}\r\n`;
}

/** The name, cut to the column's width or padded to it, with the end of the link. */
function shownName({ name, kind }: ListedEntry, isUtf8: boolean): string {
  const length = isUtf8 ? countCharacters(name) : name.length;
  if (length > NAME_WIDTH) {
    const cut = isUtf8 ? cutCharacters(name, NAME_WIDTH - 3) : name.slice(0, NAME_WIDTH - 3);
    return `${escapeHtml(cut)}..&gt;</a>`;
  }
  const slash = kind === 'directory' && length < NAME_WIDTH ? '/' : '';
  return `${escapeHtml(name)}${slash}</a>${' '.repeat(NAME_WIDTH - length - slash.length)}`;
}

/** In UTF-8; the bytes of what is none are counted one by one, as nginx does from the first of them on. */
function countCharacters(bytes: string): number {
  const text = decodeUtf8(bytes);
  return text === null ? bytes.length : [...text].length;
}

function cutCharacters(bytes: string, count: number): string {
  const text = decodeUtf8(bytes);
  if (text === null) return bytes.slice(0, count);
  return Buffer.from([...text].slice(0, count).join(''), 'utf8').toString('latin1');
}

function decodeUtf8(bytes: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `24-Nov-2026 09:05` */
function htmlDate(seconds: number, isLocal: boolean): string {
  const date = shifted(seconds, isLocal);
  const day = twoDigits(date.getUTCDate());
  const time = `${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}`;
  return `${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time}`;
}

/** The offset is today's, whatever it was then, as in nginx. */
function shifted(seconds: number, isLocal: boolean): Date {
  const offsetMinutes = isLocal ? -new Date().getTimezoneOffset() : 0;
  return new Date((seconds + offsetMinutes * 60) * 1000);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function htmlSize({ kind, size }: ListedEntry, isExact: boolean): string {
  if (isExact) return (kind === 'directory' ? '-' : String(size)).padStart(19);
  if (kind === 'directory') return '      -';
  for (const { unit, bytes, from } of UNITS) {
    // Rounded, half of it up.
    if (size >= from) return `${Math.floor((size + bytes / 2) / bytes)}`.padStart(6) + unit;
  }
  return ` ${String(size).padStart(6)}`;
}

const UNITS = [
  { unit: 'G', bytes: 1024 ** 3, from: 1024 ** 3 },
  { unit: 'M', bytes: 1024 ** 2, from: 1024 ** 2 },
  { unit: 'K', bytes: 1024, from: 10_000 },
] as const;

/** As `application/json`. */
export function listAsJson(entries: readonly ListedEntry[]): string {
  const lines = entries.map(({ name, kind, size, modified }) => {
    const sizePart = kind === 'file' ? `, "size":${size}` : '';
    return `\r\n{ "name":"${escapeJson(name)}", "type":"${kind}", "mtime":"${formatHttpDate(modified)}"${sizePart} }`;
  });
  return `[${lines.join(',')}\r\n]`;
}

/** As `application/javascript`: a call of that function. */
export function listAsJsonp(entries: readonly ListedEntry[], callback: string): string {
  return `/* callback */\r\n${callback}(${listAsJson(entries)});`;
}

/** As `text/xml`. */
export function listAsXml(entries: readonly ListedEntry[]): string {
  const lines = entries.map(({ name, kind, size, modified }) => {
    const time = `${new Date(modified * 1000).toISOString().slice(0, 19)}Z`;
    const sizePart = kind === 'file' ? ` size="${size}"` : '';
    return `<${kind} mtime="${time}"${sizePart}>${escapeHtml(name)}</${kind}>\r\n`;
  });
  return `<?xml version="1.0"?>\r\n<list>\r\n${lines.join('')}</list>\r\n`;
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
};

function escapeHtml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => HTML_ESCAPES[character]!);
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

function escapeJson(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\\"\x00-\x1f]/g, (character) => {
    const hex = character.charCodeAt(0).toString(16).toUpperCase();
    return JSON_ESCAPES[character] ?? `\\u00${hex.padStart(2, '0')}`;
  });
}
