/*
 * nginx's auth_request: a subrequest decides whether the client may pass. 2xx lets it, 401 and 403 are what it is
 * answered.
 */
import { valuesOf } from '../../../conf/schema/checked.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { text } from '../../../conf/values/text.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { OK, type Outcome } from '../../../request/phase.js';
import { startSubrequest } from '../../../request/subrequest.js';
import { assignVariable, type Variable } from '../../../variables/variable-table.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { readVariableName } from '../../variable-name.js';

const LEVELS = ['http', 'server', 'location'] as const;

const authRequest = defineDirective({
  name: 'auth_request',
  syntax: 'auth_request uri | off',
  contexts: LEVELS,
  args: [text('uri')],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The path of a subrequest whose status says whether the client may pass.',
  since: '0.2.0',
  effect: 'full',
});

const authRequestSet = defineDirective({
  name: 'auth_request_set',
  syntax: 'auth_request_set $variable value',
  contexts: LEVELS,
  args: [text('$variable'), variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary:
    'A variable that gets its value once the subrequest is answered; the value may tell of that answer.',
  since: '0.2.0',
  effect: 'full',
});

export const authRequestModule: HttpModule = {
  name: 'auth_request',
  directives: [authRequest, authRequestSet],
  declare(directives, build) {
    // The variables are there wherever they may be read, also where no level sets them.
    for (const directive of directives) {
      if (valuesOf(authRequestSet, directive) === null) continue;
      const name = readVariableName(directive.node.args[0]!, build);
      if (name !== null) build.variables.assignable(name);
    }
  },
  location: addAuth,
};

/** One auth_request_set. */
interface Assignment {
  readonly variable: Variable<HttpRequest>;
  readonly value: RequestText;
}

function addAuth(scope: Scope, build: LocationBuild): void {
  const assignments = assignmentsOf(scope, build);
  const [written] = scope.value(authRequest);
  if (written === 'off') return;
  const path = toByteString(written);
  build.addHandler('access', (request) => ask(request, path, assignments));
}

function assignmentsOf(scope: Scope, build: LocationBuild): Assignment[] {
  return scope.all(authRequestSet).flatMap(({ node, values: [, value] }) => {
    const [word] = node.args;
    if (!word!.text.startsWith('$')) return [];
    return [{ variable: build.variables.assignable(word!.text.slice(1)), value: build.text(value, node) }];
  });
}

function ask(
  request: HttpRequest,
  path: string,
  assignments: readonly Assignment[],
): Outcome | Promise<Outcome> {
  return new Promise((resolve) => {
    const whenOver = (answered: HttpRequest) => resolve(outcomeOf(request, answered, assignments));
    if (startSubrequest(request, path, '', { body: 'none', whenOver }) === null) resolve(500);
  });
}

function outcomeOf(request: HttpRequest, answered: HttpRequest, assignments: readonly Assignment[]): Outcome {
  for (const { variable, value } of assignments) assignVariable(variable, request, value.evaluate(answered));
  const { status } = answered;
  if (status === 403) return status;
  if (status === 401) {
    for (const challenge of answered.response.fields.all('www-authenticate')) {
      request.response.fields.add('WWW-Authenticate', challenge);
    }
    return status;
  }
  if (status >= 200 && status < 300) return OK;
  logErrorOf(request, 'error', `auth request unexpected status: ${status}`);
  return 500;
}
