/*
 * `resolver` and `resolver_timeout`, at every level that may have them: which name servers are asked. Below the modules'
 * folders, since locations, upstreams and stream ask for it.
 */
import { finding } from '../conf/diagnostics/catalogue.js';
import { rest } from '../conf/schema/arguments.js';
import { defineDirective } from '../conf/schema/definition.js';
import type { Placed, Scope } from '../conf/schema/scope.js';
import type { Word } from '../conf/syntax/ast.js';
import { toByteString } from '../conf/syntax/source-text.js';
import { peerAddress } from '../conf/values/address.js';
import { text } from '../conf/values/text.js';
import { timeMs, wholeSecondsMs } from '../conf/values/time.js';
import { Refusal } from '../conf/values/value-type.js';
import { eventClock } from '../core/clock.js';
import type { Address } from '../net/address.js';
import { lookUpInHostsFile } from '../net/host-lookup.js';
import type { Resolver, ResolverOptions } from '../net/resolver/resolver.js';
import { openErrorLog } from './error-log.js';
import { BuildKey, type HttpBuild } from './module.js';
import { resolverZone } from './status-zones.js';

const PLACES = [
  'http',
  'server',
  'location',
  'upstream',
  'stream',
  'stream server',
  'stream upstream',
] as const;

export const resolverDirective = defineDirective({
  name: 'resolver',
  syntax: 'resolver address ... [valid=time] [ipv4=on|off] [ipv6=on|off] [status_zone=zone]',
  contexts: PLACES,
  args: [rest(text('address'), 1)],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Names the DNS servers that are asked for names known only at run time.',
  since: '0.2.0',
  effect: 'full',
});

export const resolverTimeout = defineDirective({
  name: 'resolver_timeout',
  syntax: 'resolver_timeout time',
  contexts: PLACES,
  args: [timeMs],
  block: null,
  default: '30s',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How long a name may take to be resolved.',
  since: '0.2.0',
  effect: 'full',
});

/** One resolver, with its cache, for each directive. */
const MADE = new BuildKey<Map<object, Resolver | null>>('resolvers', () => new Map());

const DNS_PORT = 53;

type ResolverPlace = Placed<typeof resolverDirective.args>;

/** The resolver that is in force at a level; null for none, which is reported when it can't be made. */
export function resolverOf(scope: Scope, build: HttpBuild): Resolver | null {
  const directive = scope.find(resolverDirective);
  if (directive === null) return null;
  const made = build.shared(MADE);
  let resolver = made.get(directive.node);
  if (resolver === undefined) {
    resolver = makeResolver(directive, scope, build);
    made.set(directive.node, resolver);
  }
  return resolver;
}

function makeResolver({ node }: ResolverPlace, scope: Scope, build: HttpBuild): Resolver | null {
  const servers: Address[] = [];
  let validMs: number | null = null;
  const uses = { ipv4: true, ipv6: true };
  let isGood = true;
  let count: ResolverOptions['count'] = null;
  for (const word of node.args) {
    const parameter = /^(valid|ipv4|ipv6|status_zone)=(.*)$/s.exec(word.text);
    if (parameter === null) {
      const addresses = readServer(word, build);
      servers.push(...addresses);
      isGood &&= addresses.length > 0;
      continue;
    }
    const [, name, value] = parameter;
    if (name === 'valid') {
      const time = wholeSecondsMs.parse(value!);
      if (time instanceof Refusal) isGood = refuse(word, time.message, build);
      else validMs = time;
    } else if (name === 'status_zone') {
      if (value === '') isGood = refuse(word, 'a status_zone needs a name', build);
      const counters = resolverZone(build, toByteString(value!));
      count = (what) => counters.note(what);
    } else {
      if (value === 'on' || value === 'off') uses[name as 'ipv4' | 'ipv6'] = value === 'on';
      else isGood = refuse(word, `Cannot take "${word.text}": use on or off`, build);
    }
  }
  if (!uses.ipv4 && !uses.ipv6) {
    const nginxText = '"ipv4" and "ipv6" cannot both be "off"';
    build.report(node, finding('resolver', nginxText, 'leave one of them on', nginxText));
    return null;
  }
  if (!isGood) return null;
  if (servers.length === 0) {
    build.report(node, finding('resolver', 'no name servers defined', 'name one, such as 127.0.0.53'));
    return null;
  }
  const log = openErrorLog(scope, build);
  const resolver = build.resolver({
    servers,
    validMs,
    usesIpv4: uses.ipv4,
    usesIpv6: uses.ipv6,
    wheel: build.wheel,
    clock: eventClock,
    onError: (what) => log.log('error', what),
    onDefect: build.onDefect,
    count,
  });
  build.onClose(() => resolver.close());
  return resolver;
}

function readServer(word: Word, build: HttpBuild): Address[] {
  const parsed = peerAddress.parse(word.text);
  if (parsed instanceof Refusal) {
    const nginxText = parsed.nginxText('resolver').replace('in upstream', 'in resolver');
    build.report(word, finding('resolver', parsed.message, null, nginxText));
    return [];
  }
  const { kind, host, port } = parsed;
  if (kind === 'unix') {
    refuse(word, `Cannot ask "${word.text}": a name server has an IP address`, build);
    return [];
  }
  const known = kind === 'name' ? lookUpInHostsFile(host) : [host];
  // A name that the hosts file doesn't have is the system's to look up when it is first asked.
  return (known.length > 0 ? known : [host]).map((each) => ({
    host: each,
    port: port ?? DNS_PORT,
    path: null,
  }));
}

function refuse(word: Word, message: string, build: HttpBuild): false {
  build.report(word, finding('resolver', message, null, `invalid parameter: ${word.text}`));
  return false;
}
