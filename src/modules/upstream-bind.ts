/*
 * The local address that connections to upstreams come from (nginx: proxy_bind, tunnel_bind).
 */
import { finding } from '../conf/diagnostics/catalogue.js';
import type { Directive } from '../conf/syntax/ast.js';
import type { TextPart } from '../conf/values/variable-text.js';
import { parseLocalAddress } from '../net/address.js';
import type { RequestText } from '../request/location.js';
import type { HttpBuild } from './module.js';

/** Such a directive: an address, and `transparent` perhaps. */
interface Bind {
  readonly node: Directive;
  readonly values: readonly [readonly TextPart[], 'transparent' | undefined];
}

/** What it says; null for any address. What can't be is reported. */
export function localAddressText(found: Bind | null, build: HttpBuild): RequestText | null {
  if (found === null) return null;
  const [address, transparent] = found.values;
  const [word, transparentWord] = found.node.args;
  if (transparent !== undefined) {
    const message = 'Cannot connect from addresses that are not ours: Node offers no IP_TRANSPARENT';
    build.report(transparentWord!, finding('upstream-bind', message, 'leave out transparent'));
  }
  const text = build.text(address, word!);
  if (text.constant === 'off') return null;
  if (text.constant !== null && parseLocalAddress(text.constant) === null) {
    const message = `Cannot connect from "${text.constant}": it is no IP address`;
    const nginxText = `invalid address "${text.constant}"`;
    build.report(word!, finding('upstream-bind', message, 'use an address of this machine', nginxText));
  }
  return text;
}
