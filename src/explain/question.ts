/*
 * What is asked of an explanation: a URL and what else a request says, made to the bytes that would come in.
 */
import { isUtf8 } from 'node:buffer';

/** A request that is to be explained. */
export interface Question {
  readonly url: string;
  readonly method: string;
  /** Whole fields, `Name: value`. */
  readonly fields: readonly string[];
  /** The client's address. */
  readonly from: string;
  /** -1: no body. */
  readonly bodyBytes: number;
}

/** A URL taken apart, its path and arguments as they are written. */
export interface QuestionUrl {
  /** As in Host. */
  readonly authority: string;
  /** Without port and brackets. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly target: string;
}

/** A question that can't be asked; the message says what would work. */
export class QuestionError extends Error {}

/** Takes it apart. Throws a QuestionError for what is no URL. */
export function readUrl(url: string): QuestionUrl {
  const refuse = (reason: string) =>
    new QuestionError(
      `Cannot explain "${url}": ${reason}; write it as http://HOST/PATH or http://HOST:PORT/PATH`,
    );
  const parts = /^(https?):\/\/([^/?#]*)([^#]*)(?:#.*)?$/is.exec(url);
  if (parts === null)
    throw refuse(/^[a-z]+:\/\//i.test(url) ? 'only http:// and https:// are known' : 'it is no URL');
  const [, scheme, authority, rest] = parts;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x20\x7f]/.test(rest!))
    throw refuse('blanks and control characters must be escaped, a blank as %20');
  const named = /^(?:[^@]*@)?(\[[^\]]*\]|[^:@]*)(?::(\d*))?$/.exec(authority!);
  if (named === null || named[1] === '') throw refuse('it names no host');
  const isSecure = scheme!.toLowerCase() === 'https';
  const port = named[2] === undefined ? (isSecure ? 443 : 80) : Number(named[2]);
  if (named[2] === '' || port < 1 || port > 65535) throw refuse(`"${named[2]}" is no port from 1 to 65535`);
  const target = rest!.startsWith('/') ? rest! : `/${rest}`;
  return {
    authority: authority!.replace(/^[^@]*@/, ''),
    host: named[1]!.replace(/^\[|\]$/g, ''),
    port,
    isSecure,
    target,
  };
}

/** The head that such a request has, in latin1, with its final empty line. Throws a QuestionError. */
export function headOf({ method, fields, bodyBytes }: Question, { authority, target }: QuestionUrl): string {
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(method)) {
    throw new QuestionError(
      `Cannot use the method "${method}": it has other characters than a method may; write GET, POST ...`,
    );
  }
  const names = new Set<string>();
  for (const field of fields) {
    const match = /^([^:\s]+):[^\r\n\0]*$/.exec(field);
    if (match === null) throw new QuestionError(`Cannot use the field "${field}": write it as 'Name: value'`);
    names.add(match[1]!.toLowerCase());
  }
  const lines = [`${method} ${target} HTTP/1.1`];
  if (!names.has('host')) lines.push(`Host: ${authority}`);
  lines.push(...fields);
  if (bodyBytes >= 0 && !names.has('content-length')) lines.push(`Content-Length: ${bodyBytes}`);
  return `${lines.map(toBytes).join('\r\n')}\r\n\r\n`;
}

/** As bytes in latin1: what was typed beyond ASCII is UTF-8. */
function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The other way round, for people. */
export function toPeople(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : bytes;
}
