/*
 * What a file's name says about its content: `types` and `default_type`.
 */
import type { HttpRequest } from './http-request.js';

/**
 * The extension of the path's last segment, without the dot; '' for none. A dot that begins a segment begins no
 * extension.
 */
function extensionOf(path: string): string {
  const dot = path.lastIndexOf('.');
  if (dot < 2 || path[dot - 1] === '/' || path.indexOf('/', dot) >= 0) return '';
  return path.slice(dot + 1);
}

/** Sets the type of a response by the request's path, unless it has one. */
export function setContentType(request: HttpRequest): void {
  const { response } = request;
  if (response.contentType !== '') return;
  const { types, defaultType } = request.location.settings;
  const extension = extensionOf(request.path);
  const type = extension === '' ? undefined : types.get(extension.toLowerCase());
  response.contentType = type ?? defaultType;
}
