/*
 * The value of `--to`: an address and nginx's `server` parameters, "127.0.0.1:9002,weight=3,backup".
 * What the parameters do is the upstream group's business.
 */
import { parseDurationMs } from '../core/duration.js';
import { nearestWord } from '../core/nearest-word.js';
import { parseAddress } from '../net/address.js';
import type { PeerOptions } from '../upstream/peer.js';

const PARAMETERS = ['weight', 'max_fails', 'fail_timeout', 'backup', 'down'];

/** nginx: a peer without a port is at 80. */
const DEFAULTS = { host: '127.0.0.1', port: 80 };

/**
 * Reads one peer.
 * @throws Error naming the part that cannot be used and what would work
 */
export function parsePeer(text: string): PeerOptions {
  const [addressText = '', ...parameters] = text.split(',');
  rejectUrl(addressText);
  const address = parseAddress(addressText, DEFAULTS);
  if (address.path === null && address.port === 0) {
    throw new Error(`Cannot send to "${addressText}": port 0 is none; use a port from 1 to 65535`);
  }
  const peer: PeerOptions = { address };
  const seen = new Set<string>();
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    const name = equals < 0 ? parameter : parameter.slice(0, equals);
    const value = equals < 0 ? null : parameter.slice(equals + 1);
    if (seen.has(name)) throw new Error(`Cannot read peer "${text}": "${name}" is there twice; give it once`);
    seen.add(name);
    applyParameter(peer, name, value, text);
  }
  return peer;
}

function applyParameter(peer: PeerOptions, name: string, value: string | null, text: string): void {
  switch (name) {
    case 'weight':
      peer.weight = parseCount(name, value, 1, text);
      break;
    case 'max_fails':
      peer.maxFails = parseCount(name, value, 0, text);
      break;
    case 'fail_timeout':
      if (value === null)
        throw new Error(`Cannot read peer "${text}": "${name}" needs a time, as in ${name}=30s`);
      peer.failTimeoutMs = parseDurationMs(value);
      break;
    case 'backup':
    case 'down':
      if (value !== null)
        throw new Error(`Cannot read peer "${text}": "${name}" takes no value; write ${name}`);
      if (name === 'backup') peer.isBackup = true;
      else peer.isDown = true;
      break;
    default:
      throw new Error(`Cannot read peer "${text}": unknown parameter "${name}"; ${suggestParameter(name)}`);
  }
}

function suggestParameter(name: string): string {
  const near = nearestWord(name.replaceAll('-', '_'), PARAMETERS);
  return near === null ? `use ${PARAMETERS.join(', ')}` : `did you mean "${near}"?`;
}

function parseCount(name: string, value: string | null, least: number, text: string): number {
  if (value !== null && /^\d{1,6}$/.test(value) && Number(value) >= least) return Number(value);
  const found = value === null ? 'it has none' : `"${value}" is none`;
  throw new Error(
    `Cannot read peer "${text}": "${name}" needs a whole number from ${least} on, and ${found}`,
  );
}

/** People paste URLs; tell them what is wanted instead of which character does not fit. */
function rejectUrl(text: string): void {
  const url = /^([a-z]+):\/\/([^/]*)(.*)$/i.exec(text);
  if (url === null) return;
  const [, scheme, host, path] = url;
  if (scheme?.toLowerCase() !== 'http') {
    throw new Error(`Cannot send to "${text}": only plain HTTP goes upstream so far; use HOST:PORT`);
  }
  const instead = path === '' || path === '/' ? host : `${host}, paths go upstream as they came`;
  throw new Error(`Cannot send to "${text}": a peer is an address, not a URL; use ${instead}`);
}
