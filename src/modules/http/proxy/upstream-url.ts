/*
 * The URL of proxy_pass taken apart, as it stands in the configuration or as variables made it.
 */

/** Where a URL leads. */
export interface UpstreamUrl {
  /** `http://` */
  readonly schema: string;
  /** A name or an IP address without brackets, or '' for a unix socket. */
  readonly host: string;
  /** The port that is asked; 0 for a unix socket. */
  readonly port: number;
  /** Whether the URL names no port. */
  readonly hasNoPort: boolean;
  /** A unix socket's path; null for others. */
  readonly path: string | null;
  /** As Host and $proxy_host have it: without the schema's own port. */
  readonly hostField: string;
  /** As $proxy_port has it. */
  readonly portText: string;
  /** From the path on; null without one. */
  readonly uri: string | null;
}

/** Why a text is no such URL, in nginx's words. */
export interface UrlProblem {
  readonly reason: string;
}

const SCHEMA = /^http:\/\//i;
const DEFAULT_PORT = 80;

/** Takes `text` apart. */
export function parseUpstreamUrl(text: string): UpstreamUrl | UrlProblem {
  const schema = SCHEMA.exec(text)?.[0];
  if (schema === undefined) return { reason: 'invalid URL prefix' };
  const rest = text.slice(schema.length);
  if (/^unix:/i.test(rest)) return parseUnix(schema, rest);
  const end = rest.search(/[/?]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority);
  if (match === null) return { reason: 'invalid host' };
  const host = match[1]!;
  const port = match[2] === undefined ? DEFAULT_PORT : parsePort(match[2]);
  if (port === null) return { reason: 'invalid port' };
  if (host === '') return { reason: 'no host' };
  const isDefault = port === DEFAULT_PORT;
  return {
    schema,
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port,
    hasNoPort: match[2] === undefined,
    path: null,
    hostField: isDefault ? host : `${host}:${match[2]}`,
    portText: isDefault ? String(DEFAULT_PORT) : match[2]!,
    uri: end < 0 ? null : rest.slice(end),
  };
}

function parseUnix(schema: string, rest: string): UpstreamUrl | UrlProblem {
  const path = rest.slice('unix:'.length);
  const colon = path.indexOf(':');
  const file = colon < 0 ? path : path.slice(0, colon);
  if (file === '') return { reason: 'no path in the unix domain socket' };
  const uri = colon < 0 ? '' : path.slice(colon + 1);
  return {
    schema,
    host: '',
    port: 0,
    hasNoPort: true,
    path: file,
    hostField: 'localhost',
    portText: '',
    uri: uri === '' ? null : uri,
  };
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}
