/*
 * nginx's access: allow and deny by the client's address. The first that fits decides.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { type CheckedDirective, valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';
import { type Cidr, parseCidr } from '../../../core/cidr-set.js';
import { parseIpAddress, unmapIpv4 } from '../../../core/ip-address.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED, OK, type Outcome } from '../../../request/phase.js';
import type { HttpBuild, HttpModule, LocationBuild } from '../../module.js';

/** Whom a rule is about. */
type Clients = 'all' | 'unix' | { readonly cidr: Cidr; readonly hadHostBits: boolean };

const clients: ValueType<Clients> = {
  label: 'address | CIDR | unix: | all',
  parse(text) {
    if (text === 'all') return 'all';
    if (text === 'unix:') return 'unix';
    const message = `Cannot parse "${text}": use an address, a network like 10.0.0.0/8, unix: or all`;
    return parseCidr(text) ?? new Refusal(message, () => `invalid parameter "${text}"`);
  },
};

const LEVELS = ['http', 'server', 'location', 'limit_except'] as const;

const allow = defineDirective({
  name: 'allow',
  syntax: 'allow address | CIDR | unix: | all',
  contexts: LEVELS,
  args: [clients],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Clients that may pass, unless a rule before it denies them.',
  since: '0.2.0',
  effect: 'full',
});

const deny = defineDirective({
  name: 'deny',
  syntax: 'deny address | CIDR | unix: | all',
  contexts: LEVELS,
  args: [clients],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Clients that are answered 403, unless a rule before it allows them.',
  since: '0.2.0',
  effect: 'full',
});

export const accessModule: HttpModule = {
  name: 'access',
  directives: [allow, deny],
  declare: warnOfHostBits,
  location: addRules,
};

function warnOfHostBits(directives: readonly CheckedDirective[], build: HttpBuild): void {
  for (const directive of directives) {
    const [whom] = clientsOf(directive);
    if (typeof whom !== 'object' || !whom.hadHostBits) continue;
    const word = directive.node.args[0]!;
    const what = `low address bits of ${word.text} are meaningless`;
    build.report(word, { ...finding('host-bits', what, null), severity: 'warning' });
  }
}

function clientsOf(directive: CheckedDirective): [Clients] | [] {
  return valuesOf(allow, directive) ?? valuesOf(deny, directive) ?? [];
}

interface Rule {
  readonly cidr: Cidr | null;
  readonly isDenied: boolean;
}

/** The rules for each kind of client; a rule without a network is about all of them. */
interface Rules {
  readonly ipv4: readonly Rule[];
  readonly ipv6: readonly Rule[];
  readonly unix: readonly Rule[];
}

function addRules(scope: Scope, build: LocationBuild): void {
  const rules = collectRules(scope);
  if (rules !== null) build.addHandler('access', (request) => decide(rules, request));
}

/** A level with any rule has only its own. */
function collectRules(scope: Scope): Rules | null {
  let level: Scope | null = scope;
  while (level !== null && !level.has(allow) && !level.has(deny)) level = level.parent;
  if (level === null) return null;
  const rules = { ipv4: [] as Rule[], ipv6: [] as Rule[], unix: [] as Rule[] };
  for (const directive of level.directives) {
    const [whom] = clientsOf(directive);
    if (whom === undefined) continue;
    const isDenied = valuesOf(deny, directive) !== null;
    if (typeof whom === 'object') {
      const list = whom.cidr.bytes.length === 4 ? rules.ipv4 : rules.ipv6;
      list.push({ cidr: whom.cidr, isDenied });
      continue;
    }
    const lists = whom === 'unix' ? [rules.unix] : [rules.ipv4, rules.ipv6, rules.unix];
    for (const list of lists) list.push({ cidr: null, isDenied });
  }
  return rules;
}

function decide(rules: Rules, request: HttpRequest): Outcome {
  const { remoteAddress } = request;
  if (remoteAddress.startsWith('unix:')) return firstFit(rules.unix, null, request);
  const bytes = parseIpAddress(remoteAddress);
  if (bytes === null) return DECLINED;
  const plain = unmapIpv4(bytes);
  if (plain.length === 4 && (bytes.length === 4 || rules.ipv4.length > 0)) {
    return firstFit(rules.ipv4, plain, request);
  }
  return firstFit(rules.ipv6, bytes, request);
}

function firstFit(rules: readonly Rule[], address: Uint8Array | null, request: HttpRequest): Outcome {
  for (const { cidr, isDenied } of rules) {
    if (cidr !== null && !cidr.contains(address!)) continue;
    if (!isDenied) return OK;
    // With `satisfy any` others may still let it pass.
    if (!request.location.settings.satisfiesAny) logErrorOf(request, 'error', 'access forbidden by rule');
    return 403;
  }
  return DECLINED;
}
