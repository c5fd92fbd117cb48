/*
 * Files changed by PUT, DELETE, MKCOL, COPY and MOVE (RFC 4918, as much of it as nginx has): no locks, no properties.
 */
import { mkdir } from 'node:fs/promises';
import { optional, rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { accessRights, fileModeOf } from '../../../conf/values/access-rights.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { logErrorOf } from '../../../request/error-line.js';
import { filePath, toFileName } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { folderMode } from '../../../request/move-file.js';
import { DECLINED, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import { escapeUri } from '../../../request/uri-escape.js';
import type { HttpModule } from '../../module.js';
import { copyOrMove } from './copy-move.js';
import { type DavRules, hasBody, refuse } from './dav-request.js';
import { serveDelete } from './delete.js';
import { servePut } from './put.js';

const CONTEXTS = ['http', 'server', 'location'] as const;

const davMethods = defineDirective({
  name: 'dav_methods',
  syntax: 'dav_methods off | method ...',
  contexts: CONTEXTS,
  args: [rest(keyword('off', 'put', 'delete', 'mkcol', 'copy', 'move'), 1)],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The methods by which clients may change files.',
  since: '0.2.0',
  effect: 'full',
});

const createFullPutPath = defineDirective({
  name: 'create_full_put_path',
  syntax: 'create_full_put_path on | off',
  contexts: CONTEXTS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether PUT makes the folders of a file that are not there.',
  since: '0.2.0',
  effect: 'full',
});

const minDeleteDepth = defineDirective({
  name: 'min_delete_depth',
  syntax: 'min_delete_depth number',
  contexts: CONTEXTS,
  args: [number()],
  block: null,
  default: '0',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How many segments a path must have for DELETE.',
  since: '0.2.0',
  effect: 'full',
});

const davAccess = defineDirective({
  name: 'dav_access',
  syntax: 'dav_access user:rights [group:rights] [all:rights]',
  contexts: CONTEXTS,
  args: [accessRights, optional(accessRights), optional(accessRights)],
  block: null,
  default: 'user:rw',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Who may read and write the files and folders that are made.',
  since: '0.2.0',
  effect: 'full',
});

export const davModule: HttpModule = {
  name: 'dav',
  directives: [davMethods, createFullPutPath, minDeleteDepth, davAccess],
  location(scope, build) {
    const methods = new Set(scope.value(davMethods).filter((method) => method !== 'off'));
    if (methods.size === 0) return;
    const rules: DavRules = {
      fileMode: fileModeOf(scope.value(davAccess)),
      createsFolders: scope.value(createFullPutPath)[0],
      minDeleteDepth: scope.value(minDeleteDepth)[0],
    };
    build.addHandler(
      'content',
      serveMethods(new Set([...methods].map((method) => method.toUpperCase())), rules),
    );
  },
};

function serveMethods(methods: ReadonlySet<string>, rules: DavRules): PhaseHandler {
  return (request) => {
    if (!methods.has(request.method)) return DECLINED;
    switch (request.method) {
      case 'PUT':
        return servePut(request, rules);
      case 'DELETE':
        return serveDelete(request, rules);
      case 'MKCOL':
        return makeFolder(request, rules);
      default:
        return copyOrMove(request, rules);
    }
  };
}

async function makeFolder(request: HttpRequest, rules: DavRules): Promise<Outcome> {
  if (hasBody(request)) {
    logErrorOf(request, 'error', 'MKCOL with body is unsupported');
    return 415;
  }
  if (!request.path.endsWith('/')) {
    logErrorOf(request, 'error', 'MKCOL can create a collection only');
    return 409;
  }
  const path = filePath(request);
  if (path === null) return 500;
  const folder = path.slice(0, -1);
  try {
    await mkdir(toFileName(folder), { mode: folderMode(rules.fileMode) });
  } catch (error) {
    return refuse(request, 'mkdir()', folder, error as NodeJS.ErrnoException, 409);
  }
  request.response.location = escapeUri(request.path, 'path');
  return 201;
}
