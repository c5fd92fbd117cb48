/*
 * nginx's http upstream module: what servers a group has. How one is chosen is said by the modules of the balancers,
 * how a request is sent by those that pass it on.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Placed, Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import type { AddressParts } from '../../../conf/values/address.js';
import type { Resolver } from '../../../net/resolver/resolver.js';
import { sourceContext } from '../../../upstream/make-target.js';
import {
  FixedSource,
  noKnownAddresses,
  type PeerSource,
  type PeerTemplate,
  ResolvedSource,
  SystemNameSource,
} from '../../../upstream/peer-source.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';
import { resolverOf, resolverTimeout } from '../../resolver.js';
import { queue, server, upstream } from './directives.js';
import { addUpstreamVariables } from './variables.js';

export const upstreamModule: HttpModule = {
  name: 'upstream',
  directives: [upstream, server, queue],
  variables: addUpstreamVariables,
  upstream: readBlock,
};

const DEFAULT_PORT = 80;

/** Balancers that know no backups and no slow_start: nginx's rule, for servers behind the directive. */
const FIXED_METHODS: ReadonlySet<string> = new Set(['hash', 'ip_hash', 'random']);

/** nginx Plus's. */
const DEFAULT_QUEUE_MS = 60_000;

function readBlock(scope: Scope, build: UpstreamBuild): void {
  addServers(scope, build);
  const [directive] = scope.own(queue);
  if (directive === undefined) return;
  const [limit, { timeout }] = directive.values;
  build.plan.waiting = { limit, timeoutMs: timeout ?? DEFAULT_QUEUE_MS };
}

type ServerDirective = Placed<typeof server.args>;

function addServers(scope: Scope, build: UpstreamBuild): void {
  const servers = scope.own(server);
  const report = (text: string, hint: string | null) =>
    build.report(scope.opener!.node, finding('upstream', text, hint));
  if (servers.length === 0) {
    report('no servers are inside upstream', 'add one: server HOST:PORT;');
    return;
  }
  for (const directive of servers) {
    const source = makeSource(directive, scope, build);
    if (source !== null) build.plan.sources.push(source);
  }
  if (servers.every(({ values: [, { backup }] }) => backup === true)) {
    report(`no servers in upstream "${build.plan.name}"`, 'add one that is no backup');
  }
}

function makeSource(directive: ServerDirective, scope: Scope, build: UpstreamBuild): PeerSource | null {
  const [address, parameters] = directive.values;
  const template = templateOf(directive);
  if (parameters.backup) checkMethod(directive, 'backup', scope, build);
  if (parameters.slow_start !== undefined) checkMethod(directive, 'slow_start', scope, build);
  const context = sourceContext(build);
  const { maker } = build.plan;
  const { host, kind } = address;
  const port = address.port ?? DEFAULT_PORT;
  if (parameters.service !== undefined && !checkService(directive, build)) return null;
  if (kind === 'unix') return new FixedSource([{ host: '', port: 0, path: host }], template, maker);
  if (kind !== 'name') return new FixedSource([{ host, port, path: null }], template, maker);
  const { name, zone } = build.plan;
  const service = parameters.service ?? '';
  if (!parameters.resolve) {
    const known = build.carried('host', host, noKnownAddresses);
    return new SystemNameSource(host, port, template, context, known, maker);
  }
  const resolver = findResolver(directive, scope, build);
  if (resolver === null) return null;
  const known = build.carried('upstream server', [zone, name, host, service].join(' '), noKnownAddresses);
  const rules = {
    name: toByteString(host),
    port,
    service,
    resolver,
    timeoutMs: scope.value(resolverTimeout)[0],
  };
  return new ResolvedSource(rules, template, context, known, maker);
}

function templateOf({ node, values: [, parameters] }: ServerDirective): PeerTemplate {
  return {
    server: toByteString(node.args[0]!.text),
    weight: parameters.weight,
    maxConns: parameters.max_conns,
    maxFails: parameters.max_fails,
    failTimeoutMs: parameters.fail_timeout,
    slowStartMs: parameters.slow_start,
    isBackup: parameters.backup,
    isDown: parameters.down,
    isDraining: parameters.drain,
    route: parameters.route === undefined ? undefined : toByteString(parameters.route),
  };
}

/** Only what stands behind the balancer's directive is refused, as in nginx. */
function checkMethod(
  directive: ServerDirective,
  parameter: string,
  scope: Scope,
  build: UpstreamBuild,
): void {
  const before = scope.directives.slice(
    0,
    scope.directives.findIndex(({ node }) => node === directive.node),
  );
  const method = before.find(({ definition }) => FIXED_METHODS.has(definition.name));
  if (method === undefined) return;
  const word = directive.node.args.find(({ text }) => text.split('=')[0] === parameter)!;
  const message = `"${method.definition.name}" knows no ${parameter}`;
  const nginxText = `balancing method does not support parameter "${word.text}"`;
  build.report(word, finding('balancer', message, `leave out ${parameter}`, nginxText));
}

function checkService(directive: ServerDirective, build: UpstreamBuild): boolean {
  const [address, { resolve }] = directive.values;
  const [word] = directive.node.args;
  const trouble = serviceTrouble(address, resolve === true);
  if (trouble === null) return true;
  build.report(directive.node, finding('service', `service upstream "${word!.text}" ${trouble}`, null));
  return false;
}

function serviceTrouble({ kind, port }: AddressParts, resolves: boolean): string | null {
  if (!resolves) return 'requires "resolve" parameter';
  if (port !== null) return 'may not have port';
  return kind === 'name' ? null : 'requires domain name';
}

function findResolver(directive: ServerDirective, scope: Scope, build: UpstreamBuild): Resolver | null {
  const { name, zone } = build.plan;
  const report = (message: string, hint: string, nginxText: string) =>
    build.report(directive.node, finding('resolve', message, hint, nginxText));
  if (zone === '') {
    const nginxText = `resolving names at run time requires upstream "${name}" to be in shared memory`;
    report(`"resolve" in upstream "${name}" needs a zone`, 'add zone NAME SIZE;', nginxText);
    return null;
  }
  const resolver = resolverOf(scope, build);
  if (resolver === null) {
    const nginxText = `no resolver defined to resolve names at run time in upstream "${name}"`;
    report(`"resolve" in upstream "${name}" needs a resolver`, 'add resolver ADDRESS;', nginxText);
  }
  return resolver;
}
