/*
 * nginx's http upstream sticky module: a client stays with the server that it got first, by a cookie, by a route that
 * a variable names, or by a session that was learned from an answer.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { text } from '../../../conf/values/text.js';
import type { HttpModule, UpstreamBuild } from '../../module.js';
import { readCookie } from './cookie.js';
import { readLearn } from './learn.js';
import { readVariable } from './read-variable.js';
import { StickyAffinity } from './sticky-affinity.js';

const sticky = defineDirective({
  name: 'sticky',
  syntax:
    'sticky cookie name [parameters] | route $variable ... | learn create=$variable lookup=$variable zone=name:size [parameters]',
  contexts: ['upstream'],
  args: [text('cookie | route | learn'), rest(text(), 1)],
  block: null,
  default: null,
  inherit: 'none',
  isRepeatable: false,
  summary: 'Sends a client to the server that it was sent to before.',
  since: '0.2.0',
  effect: 'full',
});

export const upstreamStickyModule: HttpModule = {
  name: 'upstream_sticky',
  directives: [sticky],
  upstream: stick,
};

function stick(scope: Scope, build: UpstreamBuild): void {
  const [directive] = scope.own(sticky);
  if (directive === undefined) return;
  const { node } = directive;
  const [, ...words] = node.args;
  switch (directive.values[0]) {
    case 'cookie':
      build.plan.affinity = readCookie(words, node, build);
      break;
    case 'route': {
      const routes = words.map((word) =>
        readVariable(word, 0, build, `invalid variable name "${word.text}"`),
      );
      build.plan.affinity = new StickyAffinity(routes.filter((route) => route !== null));
      break;
    }
    case 'learn':
      build.plan.affinity = readLearn(words, node, build);
      break;
    default: {
      const [word] = node.args;
      const message = `Cannot take "${word!.text}": use cookie, route or learn`;
      build.report(word!, finding('sticky', message, null, `unknown parameter "${word!.text}"`));
    }
  }
}
