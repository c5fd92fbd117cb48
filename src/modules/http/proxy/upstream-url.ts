/*
 * The URL of proxy_pass taken apart, as it stands in the configuration or as variables made it.
 */
import { type AddressProblem, parseUpstreamAddress, type UpstreamAddress } from '../../upstream-address.js';

/** Where a URL leads, and what is asked for there. */
export interface UpstreamUrl extends UpstreamAddress {
  /** `http://` */
  readonly schema: string;
  /** From the path on; null without one. */
  readonly uri: string | null;
}

const SCHEMA = /^http:\/\//i;
const DEFAULT_PORT = 80;

/** Takes `text` apart. */
export function parseUpstreamUrl(text: string): UpstreamUrl | AddressProblem {
  const schema = SCHEMA.exec(text)?.[0];
  if (schema === undefined) return { reason: 'invalid URL prefix' };
  const [written, uri] = splitUri(text.slice(schema.length));
  const address = parseUpstreamAddress(written, DEFAULT_PORT);
  return 'reason' in address ? address : { ...address, schema, uri: uri === '' ? null : uri };
}

/** The address, and what follows it; behind a unix socket's path that is set off by a colon. */
function splitUri(text: string): [string, string] {
  if (/^unix:/i.test(text)) {
    const colon = text.indexOf(':', 'unix:'.length);
    return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  }
  const end = text.search(/[/?]/);
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end)];
}
