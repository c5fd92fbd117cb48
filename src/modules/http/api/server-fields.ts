/*
 * The fields of a server in JSON, read with the same rules as the parameters of the `server` directive.
 */
import { toByteString } from '../../../conf/syntax/source-text.js';
import { timeMs } from '../../../conf/values/time.js';
import { Refusal } from '../../../conf/values/value-type.js';
import type { PeerChange } from '../../../upstream/peer.js';
import type { ServerEntry, ServerSpec } from '../../../upstream/server-entry.js';
import { ApiError } from './api-error.js';

const MAX_WEIGHT = 65_535;
/** What 32 bits hold. */
const MAX_COUNT = 2 ** 31 - 1;
const MAX_ROUTE = 32;
/** A name has 253 at most. */
const MAX_ADDRESS = 300;

/** A field: what it is called inside, and how its value is read. */
interface Field {
  readonly key: keyof ServerSpec;
  read(value: unknown, name: string): string | number | boolean;
}

const FIELDS: Readonly<Record<string, Field>> = {
  server: { key: 'server', read: readAddress },
  service: { key: 'service', read: readService },
  weight: { key: 'weight', read: count('UpstreamBadWeight', 1, MAX_WEIGHT) },
  max_conns: { key: 'maxConns', read: count('UpstreamBadMaxConns', 0, MAX_COUNT) },
  max_fails: { key: 'maxFails', read: count('UpstreamBadMaxFails', 0, MAX_COUNT) },
  fail_timeout: { key: 'failTimeoutMs', read: time('UpstreamBadFailTimeout') },
  slow_start: { key: 'slowStartMs', read: time('UpstreamBadSlowStart') },
  route: { key: 'route', read: readRoute },
  backup: { key: 'isBackup', read: readFlag },
  down: { key: 'isDown', read: readFlag },
  drain: { key: 'isDraining', read: readFlag },
};

/** What a server is to be. Throws an ApiError that says what can't be. */
export function readNewServer(body: unknown): ServerSpec {
  const said = readFields(body) as Partial<ServerSpec>;
  if (said.server === undefined)
    throw formatError('missing "server" argument: say the address of the server');
  return { ...said, server: said.server, service: said.service ?? '' };
}

/** What is to be changed about a server. What can't be changed may be said as it is. */
export function readServerChange(body: unknown, now: ServerEntry): PeerChange & { readonly server?: string } {
  const { id, ...rest } = objectOf(body);
  if (id !== undefined && id !== now.id) throw formatError(`"id" of server "${now.id}" can't be changed`);
  const { isBackup, service, ...change } = readFields(rest) as Partial<ServerSpec>;
  if (isBackup !== undefined && isBackup !== now.isBackup) throw formatError('"backup" can\'t be changed');
  if (service !== undefined && service !== (now.service ?? ''))
    throw formatError('"service" can\'t be changed');
  return change;
}

function readFields(body: unknown): Record<string, unknown> {
  const said: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(objectOf(body))) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : null;
    if (field === null) {
      const known = Object.keys(FIELDS).join(', ');
      throw formatError(`unknown parameter "${toByteString(name)}"; there are ${known}`);
    }
    if (typeof value === 'object') throw formatError(`nested object or list, or null, in "${name}"`);
    said[field.key] = field.read(value, name);
  }
  return said;
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw formatError('a JSON object with the parameters of a server is expected');
}

function formatError(text: string): ApiError {
  return new ApiError(400, 'UpstreamConfFormatError', text);
}

/** `why` ends the sentence. */
function refuse(code: string, name: string, value: unknown, why: string): ApiError {
  return new ApiError(400, code, `invalid "${name}": ${toByteString(JSON.stringify(value))} is ${why}`);
}

function textOf(value: unknown, name: string, code = 'UpstreamConfFormatError'): string {
  if (typeof value === 'string') return toByteString(value);
  throw refuse(code, name, value, 'not a string');
}

function readAddress(value: unknown, name: string): string {
  const address = textOf(value, name);
  if (address.length <= MAX_ADDRESS) return address;
  throw refuse('UpstreamBadAddress', name, value, `longer than ${MAX_ADDRESS} bytes`);
}

function readService(value: unknown, name: string): string {
  const service = textOf(value, name);
  if (service.length > MAX_ADDRESS) throw refuse('UpstreamBadService', name, value, 'too long');
  if (service === '') throw new ApiError(400, 'UpstreamBadService', '"service" is empty');
  return service;
}

function readRoute(value: unknown, name: string): string {
  const route = textOf(value, name);
  if (route.length <= MAX_ROUTE) return route;
  throw refuse('UpstreamBadRoute', name, value, `longer than ${MAX_ROUTE} bytes: the route is too long`);
}

function readFlag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw refuse('UpstreamConfFormatError', name, value, 'neither true nor false');
}

function count(code: string, min: number, max: number): Field['read'] {
  return (value, name) => {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max)
      return value as number;
    throw refuse(code, name, value, `not a whole number from ${min} to ${max}`);
  };
}

function time(code: string): Field['read'] {
  return (value, name) => {
    const ms = timeMs.parse(textOf(value, name, code));
    if (!(ms instanceof Refusal)) return ms;
    throw refuse(code, name, value, 'not a time such as "10s"');
  };
}
