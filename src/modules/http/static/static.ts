/*
 * Answers with the file of a request's path. Where files are is root and alias, what may be opened open_file_cache and
 * disable_symlinks: the core module's. Folders are index's and autoindex's.
 */
import { logErrorOf } from '../../../request/error-line.js';
import { FileFailure, openFile } from '../../../request/file-access.js';
import { filePath } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED, DONE, type Outcome } from '../../../request/phase.js';
import { describeFile, sendFile } from '../../../request/send-file.js';
import { escapeUri } from '../../../request/uri-escape.js';
import type { HttpModule } from '../../module.js';

export const staticModule: HttpModule = {
  name: 'static',
  directives: [],
  location: (_, build) => build.addHandler('content', serveFile),
};

function serveFile(request: HttpRequest): Outcome {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return 405;
  if (request.path.endsWith('/')) return DECLINED;
  const path = filePath(request);
  if (path === null) return 500;
  const file = openFile(request, path);
  if (file instanceof FileFailure) return refuse(request, file);
  if (file.isDirectory) {
    file.release();
    const args = request.args === '' ? '' : `?${request.args}`;
    request.response.location = `${escapeUri(request.path, 'path')}/${args}`;
    return 301;
  }
  if (!file.isFile) {
    file.release();
    logErrorOf(request, 'crit', `"${path}" is not a regular file`);
    return 404;
  }
  if (method === 'POST') {
    file.release();
    return 405;
  }
  describeFile(request, file);
  sendFile(request, file, path);
  return DONE;
}

function refuse(request: HttpRequest, failure: FileFailure): Outcome {
  if (failure.isNotFound) {
    if (request.location.settings.logNotFound) logErrorOf(request, 'error', failure.message);
    return 404;
  }
  const isForbidden = failure.code === 'EACCES' || failure.isForbiddenLink;
  logErrorOf(request, isForbidden ? 'error' : 'crit', failure.message);
  return isForbidden ? 403 : 500;
}
