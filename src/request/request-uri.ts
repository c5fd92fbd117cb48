/*
 * The target of a request as locations, files and variables see it: the path decoded, its dot segments
 * resolved and its slashes merged, and the arguments as they came. The target's form and forbidden bytes are
 * the head parser's matter; writing a path back into a target is uri-escape.ts.
 */

/** A request's path and arguments. Texts are bytes in latin1, so that `path` may hold any byte but NUL. */
export class RequestUri {
  /** Decoded and normalized, beginning with '/' (nginx: $uri). */
  readonly path: string;
  /** What follows the '?', as received; '' without (nginx: $args). */
  readonly args: string;
  /** The path as received. */
  readonly raw: string;
  /** Whether the client escaped anything in the path: only then nginx escapes the path it sends upstream. */
  readonly isQuoted: boolean;
  /** Whether the path came with a '+', escaped or not; nginx's rewrites then escape captures in arguments. */
  readonly hasPlus: boolean;

  constructor(path: string, args: string, raw: string, isQuoted: boolean) {
    this.path = path;
    this.args = args;
    this.raw = raw;
    this.isQuoted = isQuoted;
    this.hasPlus = raw.includes('+') || (isQuoted && /%2b/i.test(raw));
  }
}

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

/**
 * Parses an origin-form target. An escaped slash or dot counts as one; what follows a '#' is dropped.
 * `mergeSlashes` is nginx's merge_slashes.
 * Null for what deserves 400: no leading '/', a malformed escape in the path, %00, a path above the root.
 */
export function parseRequestUri(target: string, mergeSlashes: boolean): RequestUri | null {
  if (target.charCodeAt(0) !== SLASH) return null;
  const fragment = target.indexOf('#');
  const text = fragment < 0 ? target : target.substring(0, fragment);
  const mark = text.indexOf('?');
  const raw = mark < 0 ? text : text.substring(0, mark);
  const args = mark < 0 ? '' : text.substring(mark + 1);
  const isQuoted = raw.includes('%');
  if (!isQuoted && !raw.includes('//') && !raw.includes('/.')) return new RequestUri(raw, args, raw, false);
  const path = normalizePath(raw, mergeSlashes);
  return path === null ? null : new RequestUri(path, args, raw, isQuoted);
}

/** Where paths are written while they are normalized; a path never grows. Bounded by the largest head. */
let scratch = Buffer.allocUnsafeSlow(1024);

/** Decodes `raw`, which begins with '/', resolves dot segments and merges slashes. Null as above. */
function normalizePath(raw: string, mergeSlashes: boolean): string | null {
  if (scratch.length < raw.length) scratch = Buffer.allocUnsafeSlow(2 * raw.length);
  const out = scratch;
  out[0] = SLASH;
  let end = 1;
  let segmentStart = 1;
  for (let i = 1; i < raw.length; i++) {
    let byte = raw.charCodeAt(i);
    if (byte === PERCENT) {
      byte = (hexDigit(raw.charCodeAt(i + 1)) << 4) | hexDigit(raw.charCodeAt(i + 2));
      if (byte <= 0) return null;
      i += 2;
    }
    if (byte !== SLASH) {
      out[end++] = byte;
      continue;
    }
    const kept = resolveSegment(out, segmentStart, end);
    if (kept < 0) return null;
    if (kept === end && (end > segmentStart || !mergeSlashes)) out[end++] = SLASH;
    else end = kept;
    segmentStart = end;
  }
  end = resolveSegment(out, segmentStart, end);
  return end < 0 ? null : out.toString('latin1', 0, end);
}

/**
 * Where the path ends once its last segment, from `start` to `end`, is resolved: before it if it is '.', before
 * the one above it if it is '..', at `end` otherwise. Negative when that would be above the root.
 */
function resolveSegment(path: Buffer, start: number, end: number): number {
  if (end === start || end - start > 2 || path[start] !== DOT || path[end - 1] !== DOT) return end;
  if (end - start === 1) return start;
  return start === 1 ? -1 : path.lastIndexOf(SLASH, start - 2) + 1;
}

/** The value of a hexadecimal digit; negative for anything else, NaN included. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
