/*
 * From options or a configuration to a running proxy: puts together what compile/ builds and this room serves.
 */
import { compileConf, type Language } from '../compile/compile-conf.js';
import type { Cycle } from '../compile/cycle.js';
import type { BuildEnvironment } from '../compile/environment.js';
import type { ListenSocket } from '../compile/listen-points.js';
import { confOfOptions, type ProxyOptions } from '../compile/proxy-options.js';
import { renderForPeople } from '../conf/diagnostics/render.js';
import type { Conf } from '../conf/load/load.js';
import { eventClock } from '../core/clock.js';
import { describeDefect } from '../core/describe-defect.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { HTTP_MODULES } from '../modules/catalog.js';
import { openLogTarget } from '../modules/log-sinks.js';
import { REGISTRY } from '../modules/registry.js';
import type { Address } from '../net/address.js';
import type { DefectReporter } from '../net/connection.js';
import { type ProxyServer, serveCycle } from './proxy-server.js';

/** The built-in directives and modules. */
export const BUILT_IN: Language = { registry: REGISTRY, modules: HTTP_MODULES };

/** Where defects are told: the error log of the cycle that serves, once there is one. */
export class DefectLog {
  cycle: Cycle | null = null;
  readonly report: DefectReporter = (defect) =>
    this.cycle?.context.errorLog.log('alert', describeDefect(defect));
}

/** A wheel whose defects are told like all others. */
export function makeWheel(onDefect: DefectReporter): TimerWheel {
  const wheel = new TimerWheel(eventClock);
  wheel.onError = onDefect;
  return wheel;
}

/**
 * Starts a proxy; it serves when the promise resolves.
 * Rejects with a ListenError, or an Error that names the option that can't be used.
 */
export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  if (options.listen.length === 0)
    throw new Error('Cannot start a proxy: no address to listen on; give at least one');
  const defects = new DefectLog();
  const wheel = makeWheel(defects.report);
  const cycle = buildOptionsCycle(options, { wheel, onDefect: defects.report, openSink: openLogTarget });
  defects.cycle = cycle;
  return serveCycle(cycle, { wheel, onDefect: defects.report });
}

/** What a cycle of options is built in. */
export interface OptionsEnvironment {
  readonly wheel: TimerWheel;
  readonly onDefect: DefectReporter;
  openSink: BuildEnvironment['openSink'];
}

/** The cycle of options. Throws an Error that says which can't be used and why. */
export function buildOptionsCycle(options: ProxyOptions, environment: OptionsEnvironment): Cycle {
  const folder = `${process.cwd()}/`;
  const { cycle, diagnostics } = compileConf(confFrom(options), BUILT_IN, {
    ...environment,
    prefix: folder,
    confPrefix: folder,
    defaultErrorLog: 'stderr',
    clock: eventClock,
    carried: new Map(),
  });
  if (cycle === null) {
    const [first] = diagnostics.filter(({ severity }) => severity === 'error');
    throw new Error(
      first === undefined ? 'Cannot start a proxy' : renderForPeople(first, { withSource: false }),
    );
  }
  const [main, dashboard] = cycle.sockets;
  const sockets = options.listen.map((address) => socketAt(address, main!, main!));
  if (options.dashboard !== undefined) sockets.push(socketAt(options.dashboard.address, dashboard!, main!));
  return { ...cycle, sockets };
}

/** As `socket`, elsewhere. `like`: how it listens. */
function socketAt(address: Address, { point }: ListenSocket, like: ListenSocket): ListenSocket {
  // As Node listens: an IPv6 socket is for IPv4 clients too.
  const options = { ...like.options, isIpv6Only: false };
  return { address, options, point: { ...point, address }, pointsByHost: new Map() };
}

function confFrom(options: ProxyOptions): Conf {
  return {
    items: confOfOptions(options),
    sources: [],
    includes: new Map(),
    origins: new Map(),
    diagnostics: [],
  };
}
