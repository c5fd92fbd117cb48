/*
 * Which client stands behind proxies that are trusted, by what they say in X-Forwarded-For or a field like it.
 */
import { parseIpAddress } from '../core/ip-address.js';

/** A client as a proxy tells of it; `port` is 0 when it tells of none. */
export interface ForwardedAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * The last address in `lines`, the values of a field's lines in order, if the client is trusted; null if it isn't or
 * that is no address. `isRecursive`: as long as addresses are trusted, the one before that.
 */
export function forwardedAddress(
  client: string,
  lines: readonly string[],
  isTrusted: (address: string) => boolean,
  isRecursive: boolean,
): ForwardedAddress | null {
  let found: ForwardedAddress | null = null;
  for (let line = lines.length - 1; line >= 0; line--) {
    const entries = lines[line]!.split(/[ ,]+/).filter((entry) => entry !== '');
    for (let i = entries.length - 1; i >= 0; i--) {
      if (!isTrusted(found?.address ?? client)) return found;
      const parsed = parseAddressAndPort(entries[i]!);
      if (parsed === null) return found;
      found = parsed;
      if (!isRecursive) return found;
    }
  }
  return found;
}

/** `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]` or `[::1]:80`; null for anything else. */
function parseAddressAndPort(text: string): ForwardedAddress | null {
  if (parseIpAddress(text) !== null) return { address: text, port: 0 };
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const address = match[1] ?? match[2]!;
  const port = Number(match[3] ?? 0);
  if (port > 0xffff || (match[3] !== undefined && port === 0)) return null;
  const isBracketed = match[1] !== undefined;
  return parseIpAddress(address) === null || isBracketed !== address.includes(':') ? null : { address, port };
}
