/*
 * nginx's http core module, as far as a level's settings are not all of it: limit_except, and the variables that are
 * always there.
 */
import type { Scope } from '../../../conf/schema/scope.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { resolverDirective, resolverTimeout } from '../../resolver.js';
import { CORE_DIRECTIVES, limitExcept } from './directives.js';
import { FILE_ACCESS_DIRECTIVES } from './file-access.js';
import { addCoreVariables } from './variables.js';

export const coreModule: HttpModule = {
  name: 'core',
  directives: [...CORE_DIRECTIVES, ...FILE_ACCESS_DIRECTIVES, resolverDirective, resolverTimeout],
  variables: addCoreVariables,
  location: addLimitExcept,
};

function addLimitExcept(scope: Scope, build: LocationBuild): void {
  const [directive] = scope.own(limitExcept);
  if (directive === undefined) return;
  const methods = new Set(directive.values.map((method) => method.toUpperCase()));
  if (methods.has('GET')) methods.add('HEAD');
  build.location.limitedMethods = methods;
  build.location.limited = build.inner(directive);
}
