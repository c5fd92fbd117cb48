/*
 * nginx's referer module: whether a request comes from a page that may link here.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import type { Word } from '../../../conf/syntax/ast.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { number } from '../../../conf/values/number.js';
import { regex } from '../../../conf/values/regex.js';
import { text } from '../../../conf/values/text.js';
import { Refusal } from '../../../conf/values/value-type.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { LocationState } from '../../../request/location-state.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { RefererRules } from './referer-rules.js';

const PLACES = ['server', 'location'] as const;

const validReferers = defineDirective({
  name: 'valid_referers',
  syntax: 'valid_referers none | blocked | server_names | name[/path] | ~regex ...',
  contexts: PLACES,
  args: [rest(text('none | blocked | server_names | name[/path] | ~regex'), 1)],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'Pages that may link here; for all others $invalid_referer is 1.',
  since: '0.2.0',
  effect: 'full',
});

const hashSizes = (['referer_hash_max_size', 'referer_hash_bucket_size'] as const).map((name) =>
  defineDirective({
    name,
    syntax: `${name} size`,
    contexts: PLACES,
    args: [number()],
    block: null,
    default: name === 'referer_hash_max_size' ? '2048' : '64',
    inherit: 'replace',
    isRepeatable: false,
    summary: 'How large tables of valid_referers may be in nginx; here they need no limit.',
    since: '0.2.0',
    effect: 'none',
  }),
);

export const refererModule: HttpModule = {
  name: 'referer',
  directives: [validReferers, ...hashSizes],
  variables(table) {
    table.define({ name: 'invalid_referer', isChangeable: true, get: isInvalid });
  },
  location(scope, build) {
    if (scope.all(validReferers).length > 0) rules.set(build, rulesOf(scope, build));
  },
};

const rules = new LocationState<RefererRules>();

function isInvalid(request: HttpRequest): string {
  return (rules.of(request)?.accepts(request.field('referer')) ?? true) ? '' : '1';
}

function rulesOf(scope: Scope, build: LocationBuild): RefererRules {
  const found = new RefererRules();
  const directives = scope.all(validReferers);
  for (const { values, node } of directives) {
    for (const [index, value] of values.entries()) addRule(found, value, node.args[index]!, scope, build);
  }
  for (const { kind, name } of found.problems) {
    const message =
      kind === 'conflict' ? `conflicting parameter "${name}"` : `invalid hostname or wildcard "${name}"`;
    build.report(directives[0]!.node, finding('referer', message, null));
  }
  if (found.isWithoutPages) {
    const message =
      'the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid referer';
    build.report(directives[0]!.node, finding('referer', message, 'name a page that may link here'));
  }
  return found;
}

function addRule(found: RefererRules, value: string, word: Word, scope: Scope, build: LocationBuild): void {
  if (value === '') build.report(word, finding('referer', 'invalid referer ""', null));
  else if (value === 'none') found.acceptsNone = true;
  else if (value === 'blocked') found.acceptsBlocked = true;
  else if (value === 'server_names') addServerNames(found, scope);
  else if (value === '~')
    build.report(word, finding('referer', 'empty regex in "~"', 'write one behind the ~'));
  else if (value.startsWith('~')) {
    const parsed = regex({ isCaseless: true }).parse(value.slice(1));
    if (parsed instanceof Refusal) {
      build.report(word, finding('referer', parsed.message, null, parsed.nginxText('valid_referers')));
    } else found.addPattern(parsed.regexp);
  } else found.addPage(toByteString(value));
}

/** The names of the server, whose directive is the core module's. */
function addServerNames(found: RefererRules, scope: Scope): void {
  for (const { definition, values } of scope.within('server')?.directives ?? []) {
    if (definition.name !== 'server_name') continue;
    for (const name of values as string[]) {
      const parsed = name.startsWith('~') ? regex().parse(name.slice(1)) : null;
      if (parsed === null) found.addPage(toByteString(name));
      else if (!(parsed instanceof Refusal)) found.addHostPattern(parsed.regexp);
    }
  }
}
