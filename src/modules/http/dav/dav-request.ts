/*
 * What the methods of dav have in common: their settings, the Depth field, and which failure is which status.
 */
import { logErrorOf } from '../../../request/error-line.js';
import { describeFailure } from '../../../request/file-access.js';
import type { HttpRequest } from '../../../request/http-request.js';

/** What a level says. */
export interface DavRules {
  /** Of files; folders may be searched by whom files may be read by. */
  readonly fileMode: number;
  readonly createsFolders: boolean;
  readonly minDeleteDepth: number;
}

/** Whether the client sends a body, or says it may. */
export function hasBody({ head }: HttpRequest): boolean {
  return head.contentLength > 0 || head.isChunked;
}

/** Depth; infinity without the field. -1, logged: it is neither 0, 1 nor infinity. */
export function depthOf(request: HttpRequest): number {
  const field = request.field('depth');
  if (field === null || field === 'infinity') return Number.POSITIVE_INFINITY;
  if (field === '0' || field === '1') return Number(field);
  logErrorOf(request, 'error', `client sent invalid "Depth" header: "${field}"`);
  return -1;
}

/** Logs what failed; the status for it, `notFound` where something wasn't there. */
export function refuse(
  request: HttpRequest,
  call: string,
  path: string,
  error: NodeJS.ErrnoException,
  notFound: number,
): number {
  const status = statusOf(error.code, notFound);
  logErrorOf(
    request,
    status === 500 || status === 507 ? 'crit' : 'error',
    describeFailure(call, path, error),
  );
  return status;
}

function statusOf(code: string | undefined, notFound: number): number {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return notFound;
    case 'EACCES':
    case 'EPERM':
      return 403;
    case 'EEXIST':
      return 405;
    case 'ENOSPC':
      return 507;
    default:
      return 500;
  }
}
