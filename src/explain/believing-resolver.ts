/*
 * Asks no name server: a name stands for itself, so that it is seen where it would be connected to.
 */
import { type Cancel, type Resolution, Resolver, type ResolverOptions } from '../net/resolver/resolver.js';
import type { ServiceResolution } from '../net/resolver/service-lookup.js';

const NO_CANCEL: Cancel = () => {};

export class BelievingResolver extends Resolver {
  private readonly validUntilMs: number;

  constructor(options: ResolverOptions, validUntilMs: number) {
    super({ ...options, servers: [] });
    this.validUntilMs = validUntilMs;
  }

  override resolve(name: string, _timeoutMs: number, done: (resolution: Resolution) => void): Cancel {
    done({ code: 0, addresses: [name], validUntilMs: this.validUntilMs });
    return NO_CANCEL;
  }

  override resolveService(
    name: string,
    service: string,
    _timeoutMs: number,
    done: (resolution: ServiceResolution) => void,
  ): Cancel {
    const host = `${service}.${name}`;
    const addresses = [{ address: host, port: 0, host, priority: 0, weight: 1 }];
    done({ code: 0, addresses, failures: [], validUntilMs: this.validUntilMs });
    return NO_CANCEL;
  }
}
