/*
 * Which allow or deny has decided about a client. What was decided is known; here it is found among the rules, in their
 * order, by the networks they were checked to.
 */
import type { CheckedDirective } from '../conf/schema/checked.js';
import type { Scope } from '../conf/schema/scope.js';
import type { Directive } from '../conf/syntax/ast.js';
import type { Cidr } from '../core/cidr-set.js';
import { parseIpAddress, unmapIpv4 } from '../core/ip-address.js';
import type { HttpModule } from '../modules/module.js';
import type { HttpRequest } from '../request/http-request.js';
import { OK } from '../request/phase.js';

/** The rule; null where none decided. */
export function decidingRule(
  module: HttpModule,
  scope: Scope,
  { remoteAddress }: HttpRequest,
  outcome: unknown,
): Directive | null {
  const name = outcome === OK ? 'allow' : outcome === 403 ? 'deny' : '';
  const isRule = ({ definition }: CheckedDirective) => module.directives.some((own) => own === definition);
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    const rules = level.directives.filter(isRule);
    if (rules.length === 0) continue;
    const rule = rules.find(({ values: [whom] }) => isAbout(whom, remoteAddress));
    return rule?.node.name === name ? rule.node : null;
  }
  return null;
}

function isAbout(whom: unknown, remoteAddress: string): boolean {
  if (whom === 'all') return true;
  const bytes = parseIpAddress(remoteAddress);
  if (bytes === null || typeof whom !== 'object') return false;
  const { cidr } = whom as { readonly cidr: Cidr };
  const address = cidr.bytes.length === 4 ? unmapIpv4(bytes) : bytes;
  return address.length === cidr.bytes.length && cidr.contains(address);
}
