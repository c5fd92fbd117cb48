/*
 * random_index: a request for a folder is answered with any of its files.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { filePath } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { redirectInternally } from '../../../request/lifecycle.js';
import { DECLINED, DONE, type Outcome } from '../../../request/phase.js';
import { readFolder } from '../../../request/read-folder.js';
import type { HttpModule } from '../../module.js';

const randomIndex = defineDirective({
  name: 'random_index',
  syntax: 'random_index on | off',
  contexts: ['location'],
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether a folder is answered with any of its files.',
  since: '0.2.0',
  effect: 'full',
});

export const randomIndexModule: HttpModule = {
  name: 'random_index',
  directives: [randomIndex],
  location(scope, build) {
    if (scope.value(randomIndex)[0]) build.addHandler('content', serveAny);
  },
};

function serveAny(request: HttpRequest): Outcome | Promise<Outcome> {
  const { method } = request;
  if (!request.path.endsWith('/')) return DECLINED;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return DECLINED;
  const path = filePath(request);
  return path === null ? 500 : chooseFrom(request, path.slice(0, -1) || '/');
}

async function chooseFrom(request: HttpRequest, folder: string): Promise<Outcome> {
  const entries = await readFolder(request, folder);
  if (typeof entries === 'number') return entries;
  if (request.isOver) return DONE;
  const files = entries.filter(({ stats }) => stats.isFile());
  if (files.length === 0) return DECLINED;
  const { name } = files[Math.floor(Math.random() * files.length)]!;
  redirectInternally(request, request.path + name, request.args);
  return DONE;
}
