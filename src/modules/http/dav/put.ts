/*
 * PUT: the body becomes the file. It is written elsewhere first and then moved, so that nobody sees half of it.
 */
import { chmod, stat, unlink, utimes } from 'node:fs/promises';
import { describeDefect } from '../../../core/describe-defect.js';
import { parseHttpDate } from '../../../core/http-date.js';
import { logErrorOf } from '../../../request/error-line.js';
import { describeFailure } from '../../../request/file-access.js';
import { filePath, toFileName } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { finalize } from '../../../request/lifecycle.js';
import { moveFile } from '../../../request/move-file.js';
import { DONE, type Outcome } from '../../../request/phase.js';
import { readBody } from '../../../request/request-body.js';
import { respond } from '../../../request/send.js';
import { escapeUri } from '../../../request/uri-escape.js';
import type { DavRules } from './dav-request.js';

export function servePut(request: HttpRequest, rules: DavRules): Outcome {
  if (request.path.endsWith('/')) {
    logErrorOf(request, 'error', 'cannot PUT to a collection');
    return 409;
  }
  if (request.field('content-range') !== null) {
    logErrorOf(request, 'error', 'PUT with range is unsupported');
    return 501;
  }
  readBody(
    request,
    (status) => finalize(request, status),
    () => void answer(request, rules),
  );
  return DONE;
}

async function answer(request: HttpRequest, rules: DavRules): Promise<void> {
  try {
    const status = await keepBody(request, rules);
    if (request.isOver) return;
    if (status >= 300) finalize(request, status);
    else {
      if (status === 201) request.response.location = escapeUri(request.path, 'path');
      respond(request, status, '', '');
    }
  } catch (defect) {
    logErrorOf(request, 'alert', describeDefect(defect));
    finalize(request, 500);
  }
}

/** Puts the body in its place: 201 where there was nothing, 204 where there was. */
async function keepBody(request: HttpRequest, rules: DavRules): Promise<number> {
  const path = filePath(request);
  const temporary = request.main.payload!.takeFile();
  if (path === null || temporary === null) return 500;
  const before = await stat(toFileName(path)).catch(() => null);
  if (before?.isDirectory()) {
    logErrorOf(request, 'error', `"${path}" could not be created (21: Is a directory)`);
    await dropFile(request, temporary);
    return 409;
  }
  try {
    await chmod(toFileName(temporary), rules.fileMode);
    const seconds = parseHttpDate(request.field('date') ?? '');
    if (seconds >= 0) await utimes(toFileName(temporary), seconds, seconds);
  } catch (error) {
    logErrorOf(request, 'crit', describeFailure('chmod()', temporary, error as NodeJS.ErrnoException));
    await dropFile(request, temporary);
    return 500;
  }
  if (!(await moveFile(request, temporary, path, rules.createsFolders ? rules.fileMode : null))) {
    await dropFile(request, temporary);
    return 500;
  }
  return before === null ? 201 : 204;
}

async function dropFile(request: HttpRequest, path: string): Promise<void> {
  await unlink(toFileName(path)).catch((error: NodeJS.ErrnoException) => {
    logErrorOf(request, 'crit', describeFailure('unlink()', path, error));
  });
}
