/*
 * A service of a name (SRV): its records, then the addresses of each host they name, put in the order of priority.
 */
import { type DnsService, ResponseCode } from './dns-message.js';
import type { CacheEntry } from './lookup.js';
import type { Cancel, Resolution, Resolver } from './resolver.js';

/** One address that offers a service. */
export interface ServiceAddress {
  readonly address: string;
  readonly port: number;
  /** The name that the record gives for it. */
  readonly host: string;
  /** The less, the sooner it is to be asked. */
  readonly priority: number;
  /** From 1. */
  readonly weight: number;
}

export interface ServiceResolution extends Omit<Resolution, 'addresses'> {
  readonly addresses: readonly ServiceAddress[];
  /** Hosts that could not be resolved, and why. */
  readonly failures: readonly { readonly host: string; readonly code: number }[];
}

/** Waits for a service's records and for all their hosts. */
export class ServiceLookup {
  private readonly resolver: Resolver;
  private readonly timeoutMs: number;
  private readonly done: (resolution: ServiceResolution) => void;
  private readonly cancels: Cancel[];
  private isCancelled: boolean;

  constructor(resolver: Resolver, timeoutMs: number, done: (resolution: ServiceResolution) => void) {
    this.resolver = resolver;
    this.timeoutMs = timeoutMs;
    this.done = done;
    this.cancels = [];
    this.isCancelled = false;
  }

  /** `ask` asks for the records. */
  begin(ask: (ended: (entry: CacheEntry) => void) => Cancel): void {
    this.cancels.push(ask((entry) => this.resolveHosts(entry)));
  }

  cancel(): void {
    this.isCancelled = true;
    for (const cancel of this.cancels) cancel();
  }

  private resolveHosts({ code, services, validUntilMs }: CacheEntry): void {
    if (code !== 0) {
      this.done({ code, addresses: [], failures: [], validUntilMs });
      return;
    }
    const sorted = services.toSorted((a, b) => a.priority - b.priority);
    const results: Resolution[] = [];
    let left = sorted.length;
    for (const [i, service] of sorted.entries()) {
      const cancel = this.resolver.resolve(service.host, this.timeoutMs, (resolution) => {
        results[i] = resolution;
        left--;
        if (left === 0 && !this.isCancelled) this.report(sorted, results, validUntilMs);
      });
      this.cancels.push(cancel);
    }
  }

  private report(
    services: readonly DnsService[],
    results: readonly Resolution[],
    validUntilMs: number,
  ): void {
    const failures = services.flatMap(({ host }, i) =>
      results[i]!.code === 0 ? [] : [{ host, code: results[i]!.code }],
    );
    const addresses = orderByPriority(services, results);
    if (addresses.length === 0) {
      const isAbsent = failures.some(({ code }) => code === ResponseCode.noSuchName);
      const code = isAbsent ? ResponseCode.noSuchName : failures[0]!.code;
      const validMs = Math.max(...results.map((result) => result.validUntilMs));
      this.done({ code, addresses, failures, validUntilMs: validMs });
      return;
    }
    let until = validUntilMs;
    for (const result of results) if (result.code === 0) until = Math.min(until, result.validUntilMs);
    this.done({ code: 0, addresses, failures, validUntilMs: until });
  }
}

/** Within one priority it begins anywhere, by weight. */
function orderByPriority(services: readonly DnsService[], results: readonly Resolution[]): ServiceAddress[] {
  const priorities = [...new Set(services.map(({ priority }) => priority))];
  return priorities.flatMap((each) => {
    const indexes = [...services.keys()].filter((i) => services[i]!.priority === each);
    const shares = indexes.map((i) => results[i]!.addresses.length * weightOf(services[i]!));
    let place = Math.floor(Math.random() * shares.reduce((sum, share) => sum + share, 0));
    let first = 0;
    while (first < indexes.length - 1 && place >= shares[first]!) place -= shares[first++]!;
    return [...indexes.slice(first), ...indexes.slice(0, first)].flatMap((i) => {
      const { port, host, priority } = services[i]!;
      const weight = weightOf(services[i]!);
      return results[i]!.addresses.map((address) => ({ address, port, host, priority, weight }));
    });
  });
}

function weightOf({ weight }: DnsService): number {
  return weight === 0 ? 1 : weight;
}
