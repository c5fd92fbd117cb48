/*
 * Where in the file system a request's path is, by root and alias of its location. Nothing is opened here. Paths are
 * bytes in latin1; `toFileName` makes them what node:fs takes.
 */
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';

/** root or alias as it is for this request (nginx: $document_root). */
export function documentRoot(request: HttpRequest): string {
  const { root } = request.location.settings;
  return root.constant ?? root.evaluate(request);
}

/**
 * The file or folder of the request's path (nginx: $request_filename). Null, logged, when an alias has no part to
 * replace since the path was rewritten: to be answered with 500.
 */
export function filePath(request: HttpRequest): string | null {
  return filePathOf(request, request.path);
}

/** The same for another path at the same location. */
export function filePathOf(request: HttpRequest, path: string): string | null {
  const { isAlias, aliasLength } = request.location.settings;
  if (!isAlias) return documentRoot(request) + path;
  if (!request.isPathOfLocation) {
    const what = `"alias" cannot be used in location "${request.location.path}" where URI was rewritten`;
    logErrorOf(request, 'alert', what);
    return null;
  }
  const root = documentRoot(request);
  if (request.addsPathToAlias && aliasLength === Number.POSITIVE_INFINITY) return root + path;
  return root + path.slice(aliasLength);
}

/** A path as node:fs takes it: names may have bytes that are no UTF-8. */
export function toFileName(path: string): string | Buffer {
  return IS_ASCII.test(path) ? path : Buffer.from(path, 'latin1');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about bytes
const IS_ASCII = /^[\x00-\x7f]*$/;
