/*
 * COPY and MOVE: to the path that Destination names, on this server and at this location.
 */

import type { Stats } from 'node:fs';
import { lstat, mkdir, rename } from 'node:fs/promises';
import { logErrorOf } from '../../../request/error-line.js';
import { filePath, filePathOf, toFileName } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { moveFile } from '../../../request/move-file.js';
import type { Outcome } from '../../../request/phase.js';
import { unescapeUri } from '../../../request/uri-escape.js';
import { type DavRules, depthOf, hasBody, refuse } from './dav-request.js';
import { copyInto, copyTo, removeTree } from './file-tree.js';

/** What goes where. Paths are without a final slash. */
interface Transfer {
  readonly from: string;
  readonly to: string;
  /** Whether the paths that were asked for end with a slash. */
  readonly isOfFolder: boolean;
  readonly destination: string;
}

export async function copyOrMove(request: HttpRequest, rules: DavRules): Promise<Outcome> {
  if (hasBody(request)) {
    logErrorOf(request, 'error', 'COPY and MOVE with body are unsupported');
    return 415;
  }
  const transfer = transferOf(request);
  if (typeof transfer === 'number') return transfer;
  const depth = depthOf(request);
  const mayBeShallow = request.method === 'COPY';
  if (depth !== Number.POSITIVE_INFINITY && !(mayBeShallow && depth === 0)) {
    logErrorOf(request, 'error', `"Depth" header must be ${mayBeShallow ? '0 or infinity' : 'infinity'}`);
    return 400;
  }
  const overwrite = request.field('overwrite');
  if (overwrite !== null && !/^[TF]$/i.test(overwrite)) {
    logErrorOf(request, 'error', `client sent invalid "Overwrite" header: "${overwrite}"`);
    return 400;
  }
  return apply(request, rules, transfer, overwrite?.toUpperCase() !== 'F');
}

/** What the request means; a status, logged, when it can't be done. */
function transferOf(request: HttpRequest): Transfer | Outcome {
  const destination = request.field('destination');
  if (destination === null) {
    logErrorOf(request, 'error', 'client sent no "Destination" header');
    return 400;
  }
  const path = destinationPath(request, destination);
  if (typeof path === 'number') return path;
  const isOfFolder = request.path.endsWith('/');
  if (isOfFolder !== path.endsWith('/')) {
    const what = `both URI "${request.path}" and "Destination" URI "${destination}" should be either collections or non-collections`;
    logErrorOf(request, 'error', what);
    return 409;
  }
  const { isAlias, aliasLength } = request.location.settings;
  if (isAlias && Number.isFinite(aliasLength) && path.length < aliasLength) {
    return refuseDestination(request, destination);
  }
  const from = filePath(request);
  const to = filePathOf(request, path);
  if (from === null || to === null) return 500;
  const transfer = { from: trimmed(from), to: trimmed(to), isOfFolder, destination };
  return checkPaths(request, transfer) ? transfer : 403;
}

/** The path of a Destination, decoded; a status, logged, for what is none on this server. */
function destinationPath(request: HttpRequest, destination: string): string | Outcome {
  let target = destination;
  if (!destination.startsWith('/')) {
    if (request.head.host === '') {
      logErrorOf(request, 'error', 'client sent no "Host" header');
      return 400;
    }
    const match = /^http:\/\/([^/]*)(\/.*)$/.exec(destination);
    if (match === null) return refuseDestination(request, destination);
    if (!match[1]!.startsWith(request.host)) {
      const what = `"Destination" URI "${destination}" is handled by different repository than the source URI`;
      logErrorOf(request, 'error', what);
      return 400;
    }
    target = match[2]!;
  }
  const path = unescapeUri(target.replace(/[?#].*$/, ''));
  // security: a path may not leave the location's folder.
  const isUnsafe = path.includes('\0') || /(?:^|\/)\.\.(?:\/|$)/.test(path);
  return isUnsafe ? refuseDestination(request, destination) : path;
}

function refuseDestination(request: HttpRequest, destination: string): Outcome {
  logErrorOf(request, 'error', `client sent invalid "Destination" header: "${destination}"`);
  return 400;
}

function trimmed(path: string): string {
  return path.replace(/\/+/g, '/').replace(/\/$/, '');
}

/** Nothing goes onto or into itself. */
function checkPaths(request: HttpRequest, { from, to, isOfFolder, destination }: Transfer): boolean {
  if (from === to) {
    const what = `both URI "${request.path}" and "Destination" URI "${destination}" point to the same location`;
    logErrorOf(request, 'error', what);
    return false;
  }
  if (isOfFolder && (`${to}/`.startsWith(`${from}/`) || `${from}/`.startsWith(`${to}/`))) {
    logErrorOf(request, 'error', couldNotBe(request, destination));
    return false;
  }
  return true;
}

function couldNotBe({ path, method }: HttpRequest, destination: string): string {
  return `"${path}" could not be ${method}ed to collection "${destination}"`;
}

async function apply(
  request: HttpRequest,
  rules: DavRules,
  { from, to, isOfFolder, destination }: Transfer,
  mayOverwrite: boolean,
): Promise<Outcome> {
  const target = await look(request, to, true);
  if (typeof target === 'number') return target;
  if (target?.isDirectory() && !isOfFolder) {
    logErrorOf(request, 'error', couldNotBe(request, destination));
    return 409;
  }
  if (target !== null && !mayOverwrite) {
    logErrorOf(request, 'error', `"${to}" could not be created (17: File exists)`);
    return 412;
  }
  const source = await look(request, isOfFolder ? `${from}/` : from, false);
  if (typeof source === 'number') return source;
  if (!source!.isDirectory()) return transferFile(request, rules, from, to, source!);
  if (!isOfFolder) {
    logErrorOf(request, 'error', `"${request.path}" is collection`);
    return 400;
  }
  if (target !== null) {
    const failed = await removeTree(request, to, target.isDirectory());
    if (failed !== 0) return failed;
  }
  return transferFolder(request, from, to, source!);
}

/** What is at a path; null where nothing is, if that `mayMiss`. */
async function look(request: HttpRequest, path: string, mayMiss: boolean): Promise<Stats | null | Outcome> {
  try {
    return await lstat(toFileName(path));
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    return mayMiss && failure.code === 'ENOENT' ? null : refuse(request, 'lstat()', path, failure, 404);
  }
}

async function transferFile(
  request: HttpRequest,
  rules: DavRules,
  from: string,
  to: string,
  source: Stats,
): Promise<Outcome> {
  const isDone =
    request.method === 'MOVE'
      ? await moveFile(request, from, to, rules.fileMode)
      : await copyTo(request, from, to, source);
  return isDone ? 204 : 500;
}

async function transferFolder(
  request: HttpRequest,
  from: string,
  to: string,
  source: Stats,
): Promise<Outcome> {
  if (request.method === 'MOVE') {
    try {
      await rename(toFileName(from), toFileName(to));
      return 201;
    } catch {
      // Elsewhere: piece by piece.
    }
  }
  try {
    await mkdir(toFileName(to), { mode: source.mode & 0o777 });
  } catch (error) {
    return refuse(request, 'mkdir()', to, error as NodeJS.ErrnoException, 404);
  }
  if (!(await copyInto(request, from, to))) return 500;
  if (request.method !== 'MOVE') return 201;
  const failed = await removeTree(request, from, true);
  return failed === 0 ? 201 : failed;
}
