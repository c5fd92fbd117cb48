/*
 * nginx's mirror: copies of a request go elsewhere too, and what is answered there is ignored.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { flag } from '../../../conf/values/flag.js';
import { text } from '../../../conf/values/text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED, type Outcome } from '../../../request/phase.js';
import { readBody } from '../../../request/request-body.js';
import { startSubrequest } from '../../../request/subrequest.js';
import type { HttpModule, LocationBuild } from '../../module.js';

const LEVELS = ['http', 'server', 'location'] as const;

const mirror = defineDirective({
  name: 'mirror',
  syntax: 'mirror uri | off',
  contexts: LEVELS,
  args: [text('uri')],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: true,
  summary: 'The path of a subrequest that is made with every request, and whose answer is ignored.',
  since: '0.2.0',
  effect: 'full',
});

const mirrorRequestBody = defineDirective({
  name: 'mirror_request_body',
  syntax: 'mirror_request_body on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'on',
  inherit: 'replace',
  isRepeatable: false,
  summary: "Whether mirrors get the client's body, which is then read in whole before anything is done.",
  since: '0.2.0',
  effect: 'full',
});

export const mirrorModule: HttpModule = {
  name: 'mirror',
  directives: [mirror, mirrorRequestBody],
  location: addMirrors,
};

function addMirrors(scope: Scope, build: LocationBuild): void {
  const directives = scope.all(mirror);
  const paths = directives.map(({ values }) => toByteString(values[0]));
  if (directives.length > 1 && paths.includes('off')) {
    const message = '"mirror off" cannot stand beside other mirrors';
    const nginxText = '"mirror" directive is duplicate';
    build.report(directives[1]!.node, finding('duplicate-directive', message, 'keep one of them', nginxText));
    return;
  }
  if (directives.length === 0 || paths[0] === 'off') return;
  const [hasBody] = scope.value(mirrorRequestBody);
  build.addHandler('precontent', (request) => {
    if (request.parent !== null) return DECLINED;
    return hasBody ? mirrorWithBody(request, paths) : startMirrors(request, paths, false);
  });
}

function mirrorWithBody(request: HttpRequest, paths: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    readBody(request, resolve, () => resolve(startMirrors(request, paths, true)));
  });
}

function startMirrors(request: HttpRequest, paths: readonly string[], hasPayload: boolean): Outcome {
  const { method, args } = request;
  const options = { body: 'none', isBackground: true, method, hasPayload } as const;
  for (const path of paths) if (startSubrequest(request, path, args, options) === null) return 500;
  return DECLINED;
}
