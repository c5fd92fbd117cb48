/*
 * Socket addresses as people write them: "8080", "127.0.0.1:8080", "[::1]:8080", "unix:/run/a.sock".
 * Text to Address and back; names are resolved elsewhere, at listen or connect time.
 */

import { isIP } from 'node:net';

/** Where a socket listens or connects. `path` is a unix socket's file; then host is '' and port 0. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

/** sockaddr_un on Linux, less the NUL. */
const MAX_PATH_BYTES = 107;

const FORMS = 'use PORT, HOST:PORT, [IPV6]:PORT or unix:/PATH';

/**
 * Reads one address. What the text leaves out comes from `defaults`.
 * @throws Error naming the text, the reason and the forms that work.
 */
export function parseAddress(text: string, defaults: { host: string; port: number }): Address {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    if (path === '') throw addressError(text, 'no path after "unix:"');
    // Node 20 takes a longer one and cuts it off.
    if (Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw addressError(text, `its path is longer than the ${MAX_PATH_BYTES} bytes of a socket`);
    return { host: '', port: 0, path };
  }
  if (/^\d+$/.test(text)) return { host: defaults.host, port: parsePort(text, text), path: null };
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const host = bracketed[1]!;
    if (!/^[0-9a-fA-F:.]+(%[\w.-]+)?$/.test(host) || !host.includes(':')) {
      throw addressError(text, `"${host}" is not an IPv6 address`);
    }
    return { host, port: portOrDefault(bracketed[2], text, defaults.port), path: null };
  }
  const colon = text.indexOf(':');
  if (colon !== text.lastIndexOf(':')) throw addressError(text, 'an IPv6 address needs brackets');
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!isHostName(host)) throw addressError(text, host === '' ? 'no host' : `"${host}" is not a host name`);
  return {
    host,
    port: portOrDefault(colon < 0 ? undefined : text.slice(colon + 1), text, defaults.port),
    path: null,
  };
}

/** Reads an IP address to connect from, with a port or without (port 0 then); null for anything else. */
export function parseLocalAddress(text: string): Address | null {
  if (isIP(text) !== 0) return { host: text, port: 0, path: null };
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? 0);
  return isIP(host) === 0 || port > 65535 ? null : { host, port, path: null };
}

/** "127.0.0.1:9001", "[::1]:80" or "unix:/run/a.sock". */
export function formatAddress(address: Address): string {
  if (address.path !== null) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function portOrDefault(text: string | undefined, whole: string, fallback: number): number {
  return text === undefined ? fallback : parsePort(text, whole);
}

function parsePort(text: string, whole: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65535) throw addressError(whole, `"${text}" is not a port from 0 to 65535`);
  return port;
}

/** A name per RFC 1123, also with underscores since container networks use them, or an IPv4 address. */
function isHostName(host: string): boolean {
  if (host.length > 253) return false;
  if (/^[\d.]+$/.test(host))
    return /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host);
  return /^[A-Za-z0-9_]([\w-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([\w-]*[A-Za-z0-9_])?)*\.?$/.test(host);
}

function addressError(text: string, reason: string): Error {
  return new Error(`Cannot parse address "${text}": ${reason}; ${FORMS}`);
}

/** Whether a host, as an address has it, is this machine as nobody else can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
