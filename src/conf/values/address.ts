/*
 * Addresses to listen on and to connect to, as nginx writes them. Names stay names: looking them up is I/O.
 */
import { countBytes } from '../syntax/source-text.js';
import { Refusal, type ValueType } from './value-type.js';

/** An address taken apart. */
export interface AddressParts {
  /** `any` is all IPv4 addresses of the machine: "*" or a port alone. */
  readonly kind: 'any' | 'ipv4' | 'ipv6' | 'name' | 'unix';
  /** Without brackets; for a unix socket its path, '' for `any`. */
  readonly host: string;
  /** Null when the text names none. */
  readonly port: number | null;
  /** The end of a range of ports, 8000-8010; else null. */
  readonly lastPort: number | null;
}

/** What `listen` takes: 80, 8000-8010, 127.0.0.1, *:80, [::1]:80, a name, unix:/path. */
export const listenAddress: ValueType<AddressParts> = {
  label: 'address',
  parse: (text) => parse(text, true, (reason) => `${reason} in "${text}" of the "listen" directive`),
};

/** What `server` of an upstream takes: a name or an address, with a port or without, unix:/path. */
export const peerAddress: ValueType<AddressParts> = {
  label: 'address',
  parse: (text) => parse(text, false, (reason) => `${reason} in upstream "${text}"`),
};

type Fail = (reason: string) => Refusal;

function parse(
  text: string,
  isListen: boolean,
  nginxText: (reason: string) => string,
): AddressParts | Refusal {
  const fail: Fail = (reason) =>
    new Refusal(`Cannot parse address "${text}": ${reason}; ${FORMS[isListen ? 1 : 0]}`, () =>
      nginxText(reason),
    );
  if (/^unix:/i.test(text)) return parseUnix(text.slice(5), fail);
  if (text.startsWith('[')) return parseIpv6(text, isListen, fail);
  if (isListen) {
    const ports = /^(\d+)(?:-(\d+))?$/.exec(text);
    if (ports !== null) return withPorts({ kind: 'any', host: '' }, ports[1]!, ports[2], fail);
  }
  return parseInet(text, isListen, fail);
}

const FORMS = [
  'use HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH',
  'use PORT, HOST, HOST:PORT, [IPV6]:PORT or unix:/PATH',
];

function parseUnix(path: string, fail: Fail): AddressParts | Refusal {
  if (path === '') return fail('no path in the unix domain socket');
  if (countBytes(path) > 107) return fail('too long path in the unix domain socket');
  return { kind: 'unix', host: path, port: null, lastPort: null };
}

function parseIpv6(text: string, isListen: boolean, fail: Fail): AddressParts | Refusal {
  const match = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (match === null || text.slice(text.indexOf(']')).includes('/')) return fail('invalid host');
  const [, host, ports] = match;
  const address = { kind: 'ipv6', host: host! } as const;
  const parsed = parsePorts(address, ports, isListen, fail);
  if (parsed instanceof Refusal) return parsed;
  if (host === '') return fail('no host');
  return isIpv6(host!) ? parsed : fail('invalid IPv6 address');
}

function parseInet(text: string, isListen: boolean, fail: Fail): AddressParts | Refusal {
  if (/[/?]/.test(text)) return fail('invalid host');
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  const kind = isListen && host === '*' ? 'any' : isIpv4(host) ? 'ipv4' : 'name';
  const address = { kind, host: kind === 'any' ? '' : host } as const;
  const parsed = parsePorts(address, colon < 0 ? undefined : text.slice(colon + 1), isListen, fail);
  if (parsed instanceof Refusal) return parsed;
  if (host === '') return fail('no host');
  // No name looks like that, so there is no need to look it up.
  return kind === 'name' && !/^[\w.-]+$/.test(host) ? fail('host not found') : parsed;
}

function parsePorts(
  address: Pick<AddressParts, 'kind' | 'host'>,
  ports: string | undefined,
  isListen: boolean,
  fail: Fail,
): AddressParts | Refusal {
  if (ports === undefined) return { ...address, port: null, lastPort: null };
  const dash = isListen ? ports.indexOf('-') : -1;
  if (dash < 0) return withPorts(address, ports, undefined, fail);
  return withPorts(address, ports.slice(0, dash), ports.slice(dash + 1), fail);
}

function withPorts(
  address: Pick<AddressParts, 'kind' | 'host'>,
  first: string,
  last: string | undefined,
  fail: Fail,
): AddressParts | Refusal {
  const port = parsePort(first);
  const lastPort = last === undefined ? null : parsePort(last);
  if (Number.isNaN(port) || Number.isNaN(lastPort)) return fail('invalid port');
  if (lastPort !== null && port > lastPort) return fail('invalid port range');
  return { ...address, port, lastPort };
}

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : Number.NaN;
}

/** Four numbers up to 255. */
export function isIpv4(text: string): boolean {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^\d+$/.test(octet) && Number(octet) <= 255);
}

/** Eight groups of up to four hexadecimal digits, the last two perhaps as IPv4, one run of zeros left out. */
export function isIpv6(text: string): boolean {
  const withoutIpv4 = text.replace(/[^:]*\.[^:]*$/, (tail) => (isIpv4(tail) ? '0:0' : 'x'));
  const halves = withoutIpv4.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}
