/*
 * Why a server was chosen. That it was is known; here the name that decided is found among its own.
 */
import type { Scope } from '../conf/schema/scope.js';
import { listen, serverName } from '../modules/http/core/directives.js';
import type { HttpRequest } from '../request/http-request.js';
import type { ListenPoint } from '../request/virtual-server.js';
import type { ChosenServer, Place } from './explanation.js';
import { type OpenStep, placeOf } from './trace.js';

type Reason = ChosenServer['reason'];

/** The better comes first. */
const REASONS: readonly Reason[] = ['exact name', 'wildcard', 'regular expression'];

/** `matches` are the regular expressions that were tried for it. */
export function describeServer(
  { host, server }: HttpRequest,
  point: ListenPoint,
  scope: Scope,
  matches: readonly OpenStep[],
): ChosenServer {
  const { serverName: name } = server.settings;
  const fitting = scope.own(serverName).flatMap(({ node, values }) =>
    values.flatMap((written) => {
      const reason = whyFits(written, host, matches);
      return reason === null ? [] : [{ reason, matched: written, place: placeOf(node) }];
    }),
  );
  fitting.sort((a, b) => REASONS.indexOf(a.reason) - REASONS.indexOf(b.reason));
  const [best] = fitting;
  if (best !== undefined) return { name, ...best };
  const isDefault = scope.own(listen).find(({ values: [, given] }) => given.default_server || given.default);
  const place = placeOf((isDefault ?? scope.opener!).node);
  return { name, reason: point.names === null ? 'only server' : 'default server', matched: null, place };
}

function whyFits(written: string, host: string, matches: readonly OpenStep[]): Reason | null {
  const name = written.toLowerCase();
  if (name.startsWith('~')) {
    const text = `"${written.slice(1)}" matches`;
    return matches.some((step) => step.text.startsWith(text)) ? 'regular expression' : null;
  }
  if (name === host || name === `.${host}`) return 'exact name';
  if (name.startsWith('.')) return host.endsWith(name) ? 'wildcard' : null;
  if (name.startsWith('*.')) return host.endsWith(name.slice(1)) ? 'wildcard' : null;
  if (name.endsWith('.*')) return host.startsWith(name.slice(0, -1)) ? 'wildcard' : null;
  return null;
}

/** The `listen` of a server by which it has an address; null for none. */
export function listenPlace(scope: Scope, { address }: ListenPoint): Place | null {
  const found = scope.own(listen).find(({ values: [{ kind, host, port, lastPort }] }) => {
    if (kind === 'unix') return address.path === host;
    const first = port ?? 80;
    const isHost = (kind === 'any' ? '0.0.0.0' : host) === address.host;
    return isHost && address.port >= first && address.port <= (lastPort ?? first);
  });
  return found === undefined ? null : placeOf(found.node);
}
