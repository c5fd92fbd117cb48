/*
 * The host a request names, as virtual servers and $host see it: without port and final dot, in lower case.
 * Which server has that name is server-names.ts.
 */

/** A valid Host field's value, or an absolute target's authority, taken apart. */
export class RequestHost {
  /** In lower case; IPv6 in its brackets. Never empty. */
  readonly name: string;
  /** 0 when none was given. */
  readonly port: number;

  constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }
}

const HOST = /^(\[[A-Za-z0-9:\-._~!$&'()*+,;=]*\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::(\d*))?$/;

/** The host last parsed and what it was: on a keepalive connection it is the same again and again. */
let lastText = '';
let lastHost: RequestHost | null = null;

/** Null for what nginx answers with 400: nothing, forbidden characters, two dots in a row, no such port. */
export function parseRequestHost(text: string): RequestHost | null {
  if (text === lastText) return lastHost;
  lastHost = parse(text);
  lastText = text;
  return lastHost;
}

function parse(text: string): RequestHost | null {
  const parts = HOST.exec(text);
  if (parts === null || text.includes('..')) return null;
  const name = parts[1]!.endsWith('.') ? parts[1]!.slice(0, -1) : parts[1]!;
  const port = Number(parts[2] ?? 0);
  return name === '' || port > 0xffff ? null : new RequestHost(name.toLowerCase(), port);
}
