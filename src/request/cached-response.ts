/*
 * A stored answer as the response to a request.
 */
import type { CachedFile } from '../cache/cached-file.js';
import { BodyKind } from '../http/h1/body-decoder.js';
import { DEFAULT_HEAD_LIMITS } from '../http/h1/malformed.js';
import { ResponseHead } from '../http/h1/response-head.js';
import { FieldId } from '../http/message/field-id.js';
import { logErrorOf } from './error-line.js';
import { OpenFile } from './file-access.js';
import type { HttpRequest } from './http-request.js';
import { finalize } from './lifecycle.js';
import { sendFileBody } from './send-file.js';
import { fillResponse } from './upstream-response.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** Answers with what is stored. The file is the response's from here on. */
export function sendCached(request: HttpRequest, file: CachedFile, settings: UpstreamSettings): void {
  const { response } = request;
  const head = storedHead(file);
  if (head === null) {
    file.close();
    logErrorOf(request, 'crit', `cache file "${file.path}" has an invalid header`);
    finalize(request, 500);
    return;
  }
  request.tries.responseHead = head.fieldText;
  fillResponse(request, head, settings, BodyKind.length);
  if (head.status !== 204) response.contentLength = file.bodyBytes;
  allowParts(request, head, settings);
  response.allowsOneRange = false;
  const open = new OpenFile();
  open.descriptor = file.descriptor;
  open.users = 1;
  sendFileBody(request, open, file.path, file.bodyStart, file.bodyBytes);
}

/** Has an answer that is stored, or being stored, be asked for in parts and on conditions. */
export function allowParts(
  { response }: HttpRequest,
  { fields }: ResponseHead,
  { forcesRanges }: UpstreamSettings,
): void {
  response.ignoresConditions = false;
  const offered = fields.valueOf(FieldId.acceptRanges).toLowerCase();
  if (!forcesRanges && (offered === '' || offered === 'none')) return;
  response.allowsRanges = true;
  response.allowsOneRange = true;
  response.fields.remove('accept-ranges');
}

/** The head of what is stored. What was read once can be read again, so null is a damaged file. */
export function storedHead({ about }: CachedFile): ResponseHead | null {
  const bytes = Buffer.from(about.head, 'latin1');
  const head = new ResponseHead({
    ...DEFAULT_HEAD_LIMITS,
    lineBytes: bytes.length + 1,
    headBytes: bytes.length + 1,
  });
  return head.parse(bytes, 0, bytes.length) === bytes.length ? head : null;
}
