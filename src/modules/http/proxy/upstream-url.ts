/*
 * The URL of proxy_pass taken apart, as it stands in the configuration or as variables made it.
 */
import { type AddressProblem, parseUpstreamAddress, type UpstreamAddress } from '../../upstream-address.js';

/** Where a URL leads, and what is asked for there. */
export interface UpstreamUrl extends UpstreamAddress {
  /** `http://` or `https://` */
  readonly schema: string;
  readonly usesTls: boolean;
  /** From the path on; null without one. */
  readonly uri: string | null;
}

const SCHEMA = /^https?:\/\//i;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** Takes `text` apart. */
export function parseUpstreamUrl(text: string): UpstreamUrl | AddressProblem {
  const schema = SCHEMA.exec(text)?.[0];
  if (schema === undefined) return { reason: 'invalid URL prefix' };
  const [written, uri] = splitUri(text.slice(schema.length));
  const usesTls = schema.length === 'https://'.length;
  const address = parseUpstreamAddress(written, usesTls ? HTTPS_PORT : HTTP_PORT);
  return 'reason' in address ? address : { ...address, schema, usesTls, uri: uri === '' ? null : uri };
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
