/*
 * Where in the file system a request's path is, by root and alias of its location. Nothing is opened here.
 */
import type { HttpRequest } from './http-request.js';

/** root or alias as it is for this request (nginx: $document_root); bytes in latin1. */
export function documentRoot(request: HttpRequest): string {
  const { root } = request.location.settings;
  return root.constant ?? root.evaluate(request);
}

/** The file or folder of the request's path (nginx: $request_filename). */
export function filePath(request: HttpRequest): string {
  return filePathOf(request, request.path);
}

/** The same for another path at the same location. */
export function filePathOf(request: HttpRequest, path: string): string {
  const { isAlias, aliasLength } = request.location.settings;
  const root = documentRoot(request);
  return isAlias ? root + path.slice(aliasLength) : root + path;
}
