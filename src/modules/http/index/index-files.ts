/*
 * index: the file that a request for a folder is answered with, by an internal redirect to it.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { variableText } from '../../../conf/values/variable-text.js';
import { logErrorOf } from '../../../request/error-line.js';
import { FileFailure, OpenFile, testFile } from '../../../request/file-access.js';
import { filePath } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { redirectInternally } from '../../../request/lifecycle.js';
import { DECLINED, DONE, OK, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import type { Text } from '../../../variables/text.js';
import { constantText } from '../../../variables/text.js';
import type { HttpModule, LocationBuild } from '../../module.js';

const index = defineDirective({
  name: 'index',
  syntax: 'index file ...',
  contexts: ['http', 'server', 'location'],
  args: [rest(variableText, 1)],
  block: null,
  default: 'index.html',
  inherit: 'replace',
  isRepeatable: true,
  summary:
    'The files that stand for a folder: the first of them that is there; one that begins with / always is.',
  since: '0.2.0',
  effect: 'full',
});

export const indexModule: HttpModule = {
  name: 'index',
  directives: [index],
  location: (scope, build) => build.addHandler('content', serveIndex(namesAt(scope, build))),
};

function namesAt(scope: Scope, build: LocationBuild): readonly Text<HttpRequest>[] {
  const names: Text<HttpRequest>[] = [];
  for (const { values, node } of scope.all(index)) {
    for (const [i, parts] of values.entries()) {
      const word = node.args[i]!;
      if (word.text === '') {
        const nginxText = 'index "" in "index" directive is invalid';
        build.report(word, finding('empty-index', 'a file has no name', 'name it', nginxText));
      }
      if (word.text.startsWith('/') && i < values.length - 1) {
        const nginxText = 'only the last index in "index" directive should be absolute';
        const found = finding('absolute-index', 'what follows this file is never used', null, nginxText);
        build.report(word, { ...found, severity: 'warning' });
      }
      names.push(build.text(parts, word));
    }
  }
  return names.length > 0 ? names : [constantText(index.default!)];
}

function serveIndex(names: readonly Text<HttpRequest>[]): PhaseHandler {
  return (request) => {
    if (!request.path.endsWith('/')) return DECLINED;
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return DECLINED;
    let folder: string | null = null;
    let isFolderTested = false;
    for (const text of names) {
      const name = text.constant ?? text.evaluate(request);
      if (name.startsWith('/')) {
        redirectInternally(request, name, request.args);
        return DONE;
      }
      folder ??= filePath(request);
      if (folder === null) return 500;
      const file = testFile(request, folder + name);
      if (file instanceof OpenFile) {
        redirectInternally(request, request.path + name, request.args);
        return DONE;
      }
      const outcome = outcomeOf(request, file, folder + name);
      if (outcome !== DECLINED) return outcome;
      // Without the folder itself there is nothing to be looked for.
      const folderOutcome = isFolderTested ? OK : testFolder(request, folder, folder + name);
      if (folderOutcome !== OK) return folderOutcome;
      isFolderTested = true;
      if (file.code !== 'ENOENT') {
        logErrorOf(request, 'crit', file.message);
        return 500;
      }
    }
    return DECLINED;
  };
}

/** What a failure says by itself; DECLINED: it depends on the folder. */
function outcomeOf(request: HttpRequest, failure: FileFailure, path: string): Outcome {
  if (failure.isForbiddenLink) return 403;
  if (failure.code === 'EACCES') {
    logErrorOf(request, 'error', `"${path}" is forbidden ${failure.cause}`);
    return 403;
  }
  return failure.isNotFound && failure.code !== 'ENOENT' ? refuseMissing(request, failure, path) : DECLINED;
}

function refuseMissing(request: HttpRequest, failure: FileFailure, path: string): Outcome {
  if (request.location.settings.logNotFound)
    logErrorOf(request, 'error', `"${path}" is not found ${failure.cause}`);
  return 404;
}

const NO_FOLDER: NodeJS.ErrnoException = Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR', errno: -20 });

/** Whether the folder is there; `path` is of the file in it, for the log. */
function testFolder(request: HttpRequest, folder: string, path: string): Outcome {
  // An alias need not end in a slash.
  const isSlashed = folder.endsWith('/') && folder.length > 1;
  const found = testFile(request, isSlashed ? folder.slice(0, -1) : folder);
  if (found instanceof OpenFile) {
    if (found.isDirectory) return OK;
    // Newer Nodes don't tell a file in the place of the folder from nothing there.
    return refuseMissing(request, new FileFailure(NO_FOLDER, 'stat()', path), path);
  }
  if (found.isForbiddenLink) return 403;
  if (found.code === 'ENOENT') return refuseMissing(request, found, path);
  // The file's own failure was another, so the folder can be searched.
  if (found.code === 'EACCES') return OK;
  logErrorOf(request, 'crit', found.message);
  return 500;
}
