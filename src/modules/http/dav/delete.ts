/*
 * DELETE: of a file, or of a folder with all in it when its path ends with a slash.
 */
import { lstat } from 'node:fs/promises';
import { logErrorOf } from '../../../request/error-line.js';
import { filePath, toFileName } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Outcome } from '../../../request/phase.js';
import { type DavRules, depthOf, hasBody, refuse } from './dav-request.js';
import { removeTree } from './file-tree.js';

export async function serveDelete(request: HttpRequest, rules: DavRules): Promise<Outcome> {
  if (hasBody(request)) {
    logErrorOf(request, 'error', 'DELETE with body is unsupported');
    return 415;
  }
  const slashes = request.path.split('/').length - 1;
  // What is behind the last slash counts if there is something.
  if (slashes - (request.path.endsWith('/') ? 1 : 0) < rules.minDeleteDepth) {
    logErrorOf(request, 'error', `insufficient URI depth:${slashes} to DELETE`);
    return 409;
  }
  const path = filePath(request);
  if (path === null) return 500;
  let isFolder: boolean;
  try {
    isFolder = (await lstat(toFileName(path))).isDirectory();
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    return refuse(request, 'lstat()', path, failure, failure.code === 'ENOTDIR' ? 409 : 404);
  }
  if (isFolder && !request.path.endsWith('/')) {
    logErrorOf(request, 'error', `DELETE "${path}" failed (21: Is a directory)`);
    return 409;
  }
  const asked = depthOf(request);
  if (asked !== Number.POSITIVE_INFINITY && (isFolder || asked !== 0)) {
    logErrorOf(request, 'error', `"Depth" header must be ${isFolder ? 'infinity' : '0 or infinity'}`);
    return 400;
  }
  const failed = await removeTree(request, isFolder ? path.slice(0, -1) : path, isFolder);
  return failed === 0 ? 204 : failed;
}
