/*
 * The peers that an address stands for, whoever names it: a directive, the state of a group, or a change at run time.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import type { AddressParts } from '../../../conf/values/address.js';
import type { Resolver } from '../../../net/resolver/resolver.js';
import { sourceContext } from '../../../upstream/make-target.js';
import {
  FixedSource,
  noKnownAddresses,
  type PeerMaker,
  type PeerSource,
  type PeerTemplate,
  ResolvedSource,
  SystemNameSource,
} from '../../../upstream/peer-source.js';
import type { UpstreamBuild } from '../../module.js';
import { resolverTimeout } from '../../resolver.js';

const DEFAULT_PORT = 80;

/** Balancers that know no backups and no slow_start: nginx's rule, for servers behind the directive. */
export const FIXED_METHODS: ReadonlySet<string> = new Set(['hash', 'ip_hash', 'random']);

/** How a name is followed as its addresses change. */
export interface Following {
  readonly resolver: Resolver;
  /** '' for none. */
  readonly service: string;
}

/** Peers of one address. A name is looked up once unless it is to be followed. */
export function placeSource(
  { kind, host, port: givenPort }: AddressParts,
  template: PeerTemplate,
  following: Following | null,
  maker: PeerMaker,
  scope: Scope,
  build: UpstreamBuild,
): PeerSource {
  const port = givenPort ?? DEFAULT_PORT;
  if (kind !== 'name') {
    const address = kind === 'unix' ? { host: '', port: 0, path: host } : { host, port, path: null };
    return new FixedSource([maker.makePeer({ ...template, address })]);
  }
  const context = sourceContext(build);
  if (following === null) {
    const known = build.carried('host', host, noKnownAddresses);
    return new SystemNameSource(host, port, template, context, known, maker);
  }
  const { name, zone } = build.plan;
  const { resolver, service } = following;
  const known = build.carried('upstream server', [zone, name, host, service].join(' '), noKnownAddresses);
  const timeoutMs = scope.value(resolverTimeout)[0];
  const rules = { name: toByteString(host), port, service, resolver, timeoutMs };
  return new ResolvedSource(rules, template, context, known, maker);
}

/** Why an address can have no service, in nginx's words; null if it can. */
export function serviceTrouble({ kind, port }: AddressParts, resolves: boolean): string | null {
  if (!resolves) return 'requires "resolve" parameter';
  if (port !== null) return 'may not have port';
  return kind === 'name' ? null : 'requires domain name';
}
