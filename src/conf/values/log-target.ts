/*
 * Where a log goes: a file, a stream of the process, a syslog server, memory. What is opened for it is not known here.
 */
import { parseSizeBytes } from '../../core/size.js';
import { type AddressParts, peerAddress } from './address.js';
import { Refusal, type ValueType } from './value-type.js';

/** How grave a message is, in the words of error_log. */
export type SyslogSeverity = 'emerg' | 'alert' | 'crit' | 'error' | 'warn' | 'notice' | 'info' | 'debug';

/** `syslog:` taken apart. Names are checked; what is left out has nginx's default. */
export interface SyslogTarget {
  readonly kind: 'syslog';
  readonly server: AddressParts;
  /** Its number, 0 to 23. */
  readonly facility: number;
  readonly severity: SyslogSeverity;
  readonly tag: string;
  readonly hasHostname: boolean;
}

/** One target. */
export type LogTargetParts =
  /** A path, 'stdout', 'stderr' or 'off'. */
  | { readonly kind: 'file'; readonly path: string }
  | SyslogTarget
  | { readonly kind: 'memory'; readonly bytes: number };

/** What logs can be written to. The text may hold variables; they are not looked at. */
export const logTarget: ValueType<LogTargetParts> = { label: 'target', parse: parseLogTarget };

/** nginx's least size: less would not hold a line. */
const LEAST_MEMORY = 2200;

function parseLogTarget(text: string): LogTargetParts | Refusal {
  if (text.startsWith('syslog:')) return parseSyslog(text);
  if (!text.startsWith('memory:')) return { kind: 'file', path: text };
  const size = text.slice('memory:'.length);
  try {
    const bytes = parseSizeBytes(size, 'm');
    if (bytes >= LEAST_MEMORY) return { kind: 'memory', bytes };
  } catch {
    // Told below.
  }
  const message = `Cannot use a log of "${size}" in memory: use a size of at least ${LEAST_MEMORY} bytes, like 1m`;
  return new Refusal(message, () => `invalid buffer size "${size}"`);
}

/** By their number. */
const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'intern', 'lpr', 'news', 'uucp', 'clock', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'cron', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6'],
  'local7',
];
const SEVERITIES = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'] as const;

function parseSyslog(text: string): LogTargetParts | Refusal {
  const given = new Map<string, string>();
  for (const parameter of text.slice('syslog:'.length).split(',')) {
    const equals = parameter.indexOf('=');
    const name = equals < 0 ? parameter : parameter.slice(0, equals);
    const value = equals < 0 ? '' : parameter.slice(equals + 1);
    const refusal = refuseParameter(parameter, name, value, equals >= 0);
    if (refusal !== null) return refusal;
    if (given.has(name) && name !== 'nohostname') {
      const message = `Cannot use "${text}": "${name}" stands there twice; keep one`;
      return new Refusal(message, () => `duplicate syslog "${name}"`);
    }
    given.set(name, value);
  }
  const serverText = given.get('server');
  if (serverText === undefined) {
    const message = `Cannot use "${text}": it names no server; add server=127.0.0.1 or server=unix:/dev/log`;
    return new Refusal(message, () => 'no syslog server specified');
  }
  const server = peerAddress.parse(serverText);
  if (server instanceof Refusal) {
    const reason = server.nginxText('').replace(/ in upstream ".*"$/s, '');
    return new Refusal(server.message, () => `${reason} in syslog server "${serverText}"`);
  }
  return {
    kind: 'syslog',
    server,
    facility: FACILITIES.indexOf(given.get('facility') ?? 'local7'),
    severity: SEVERITIES.find((severity) => severity === given.get('severity')) ?? 'info',
    tag: given.get('tag') ?? 'nginx',
    hasHostname: !given.has('nohostname'),
  };
}

function refuseParameter(parameter: string, name: string, value: string, hasValue: boolean): Refusal | null {
  switch (hasValue ? name : `${name} alone`) {
    case 'server':
    case 'nohostname alone':
      return null;
    case 'facility':
      return refuseWord('facility', value, FACILITIES);
    case 'severity':
      return refuseWord('severity', value, SEVERITIES);
    case 'tag':
      return refuseTag(value);
  }
  const message = `Cannot take syslog parameter "${parameter}": use server=, facility=, severity=, tag=, nohostname`;
  return new Refusal(message, () => `unknown syslog parameter "${parameter}"`);
}

function refuseWord(what: string, word: string, words: readonly string[]): Refusal | null {
  if (words.includes(word)) return null;
  const message = `Cannot use syslog ${what} "${word}": use one of ${words.join(', ')}`;
  return new Refusal(message, () => `unknown syslog ${what} "${word}"`);
}

/** RFC 3164: up to 32 letters and digits. */
function refuseTag(tag: string): Refusal | null {
  const message = `Cannot use syslog tag "${tag}": use up to 32 letters, digits and underscores`;
  if (tag.length > 32) return new Refusal(message, () => 'syslog tag length exceeds 32');
  if (/^\w*$/.test(tag)) return null;
  return new Refusal(message, () => 'syslog "tag" only allows alphanumeric characters and underscore');
}
