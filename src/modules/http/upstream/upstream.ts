/*
 * nginx's http upstream module: what servers a group has. How one is chosen is said by the modules of the balancers,
 * how a request is sent by those that pass it on.
 */

import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import type { Resolver } from '../../../net/resolver/resolver.js';
import type { PeerSource, PeerTemplate } from '../../../upstream/peer-source.js';
import { WaitingPlaces, waitingPlacesBytes } from '../../../upstream/waiting-places.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';
import { resolverOf } from '../../resolver.js';
import { queue, server, state, upstream } from './directives.js';
import { FIXED_METHODS, placeSource, serviceTrouble } from './place-source.js';
import { makeRuntime } from './runtime.js';
import { readState, type ServerDirective } from './state-file.js';
import { addUpstreamVariables } from './variables.js';

export const upstreamModule: HttpModule = {
  name: 'upstream',
  directives: [upstream, server, state, queue],
  variables: addUpstreamVariables,
  upstream: readBlock,
};

/** nginx Plus's. */
const DEFAULT_QUEUE_MS = 60_000;

function readBlock(scope: Scope, build: UpstreamBuild): void {
  addServers(scope, build);
  const [directive] = scope.own(queue);
  if (directive === undefined) return;
  const [limit, { timeout }] = directive.values;
  const { plan, worker } = build;
  const memory = build.cycleMemory('queue', plan.name.toLowerCase(), waitingPlacesBytes(worker));
  const places = new WaitingPlaces(memory, worker);
  build.onWorkerDeath((index) => places.forgetWorker(index));
  plan.waiting = { limit, timeoutMs: timeout ?? DEFAULT_QUEUE_MS, places };
}

function addServers(scope: Scope, build: UpstreamBuild): void {
  const [kept] = scope.own(state);
  const written = scope.own(server);
  const { zone, name } = build.plan;
  if (zone !== '') build.plan.runtime = makeRuntime(scope, build, kept ?? null);
  if (kept !== undefined && (written.length > 0 || zone === '')) {
    const [message, hint] =
      zone === ''
        ? [`"state" in upstream "${name}" needs a zone`, 'add zone NAME SIZE;']
        : ['"state" is the place of all servers, so none may be beside it', 'add them with the api'];
    build.report(kept.node, finding('state', message, hint));
    return;
  }
  // Of several workers the first to read the state tells the others, who may find it changed by then.
  const isTold = (build.plan.runtime?.shared?.version ?? 0) > 0;
  const servers = kept === undefined ? written : isTold ? [] : readState(kept, build);
  const report = (text: string, hint: string | null) =>
    build.report(scope.opener!.node, finding('upstream', text, hint));
  if (servers.length === 0) {
    // differs from nginx: a group that can be changed may begin with no server, as in NGINX Plus.
    if (zone === '') report('no servers are inside upstream', 'add one: server HOST:PORT;');
    return;
  }
  for (const directive of servers) {
    const source = makeSource(directive, scope, build);
    if (source !== null) build.plan.sources.push(source);
  }
  if (kept === undefined && servers.every(({ values: [, { backup }] }) => backup === true)) {
    report(`no servers in upstream "${name}"`, 'add one that is no backup');
  }
}

function makeSource(directive: ServerDirective, scope: Scope, build: UpstreamBuild): PeerSource | null {
  const [address, parameters] = directive.values;
  const template = templateOf(directive);
  if (parameters.backup) checkMethod(directive, 'backup', scope, build);
  if (parameters.slow_start !== undefined) checkMethod(directive, 'slow_start', scope, build);
  if (parameters.service !== undefined && !checkService(directive, build)) return null;
  const { resolve, service = '' } = parameters;
  const isFollowed = resolve === true && address.kind === 'name';
  const resolver = isFollowed ? findResolver(directive, scope, build) : null;
  if (isFollowed && resolver === null) return null;
  const maker = build.plan.makerOf(build.plan.sources.length);
  return placeSource(
    address,
    template,
    resolver === null ? null : { resolver, service },
    maker,
    scope,
    build,
  );
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
