/*
 * The field names this proxy must understand, as small numbers, and the lookup that turns a name's bytes
 * into one. Every other field is FieldId.other: it is passed on by its bytes alone.
 */

/** Numbers of the known fields; `other` is any name not in the table. */
export const FieldId = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  keepAlive: 7,
  te: 8,
  trailer: 9,
  proxyConnection: 10,
  forwardedFor: 11,
  forwardedProto: 12,
  forwardedHost: 13,
  referer: 14,
  userAgent: 15,
  authorization: 16,
  proxyAuthorization: 17,
  proxyAuthenticate: 18,
  cookie: 19,
  setCookie: 20,
  contentType: 21,
  contentEncoding: 22,
  contentRange: 23,
  cacheControl: 24,
  date: 25,
  server: 26,
  xForwardedPort: 27,
  forwarded: 28,
  realIp: 29,
  location: 30,
  refresh: 31,
  etag: 32,
  lastModified: 33,
  acceptRanges: 34,
  xAccelRedirect: 35,
  xAccelExpires: 36,
  xAccelLimitRate: 37,
  xAccelBuffering: 38,
  xAccelCharset: 39,
  xPad: 40,
  expires: 41,
  vary: 42,
} as const;

const NAMES: readonly string[] = [
  '',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'keep-alive',
  'te',
  'trailer',
  'proxy-connection',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'referer',
  'user-agent',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'cookie',
  'set-cookie',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'date',
  'server',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'location',
  'refresh',
  'etag',
  'last-modified',
  'accept-ranges',
  'x-accel-redirect',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-charset',
  'x-pad',
  'expires',
  'vary',
];

const IDS: ReadonlyMap<string, number> = new Map(NAMES.slice(1).map((name, i) => [name, i + 1]));

/** How many ids there are: tables indexed by id have this length. */
export const FIELD_ID_COUNT = NAMES.length;

/**
 * Lower-cased byte for a token character (RFC 9110 section 5.6.2), 0 for everything else.
 * One table both validates and folds case.
 */
export const TOKEN_LOWER: Uint8Array = buildTokenTable();

/** No two known names have the same slot: see `slotOf`. */
const SLOT_MASK = 127;
const SLOTS = buildSlots();

/**
 * The id of the name in bytes[start,end), all of them token bytes. perf: length and two letters tell the known
 * names apart, so that scanning a name needs no hash of its every byte.
 */
export function findFieldId(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const third = length < 3 ? bytes[end - 1]! : bytes[start + 2]!;
  const fourthLast = length < 4 ? bytes[start]! : bytes[end - 4]!;
  const id = SLOTS[slotOf(length, TOKEN_LOWER[third]!, TOKEN_LOWER[fourthLast]!)]!;
  const name = NAMES[id]!;
  if (name.length !== length) return FieldId.other;
  for (let i = 0; i < length; i++) {
    if (TOKEN_LOWER[bytes[start + i]!] !== name.charCodeAt(i)) return FieldId.other;
  }
  return id;
}

/** The id of a lower-case name held as text; for what is not on the hot path. */
export function fieldIdOf(lowerName: string): number {
  return IDS.get(lowerName) ?? FieldId.other;
}

function buildTokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
    table[char.charCodeAt(0)] = char.charCodeAt(0);
  for (let code = 65; code <= 90; code++) table[code] = code + 32;
  return table;
}

/** The multipliers were found by trying: the first that keep the names apart. */
function slotOf(length: number, third: number, fourthLast: number): number {
  return (length + third * 4 + fourthLast * 111) & SLOT_MASK;
}

function buildSlots(): Uint8Array {
  const slots = new Uint8Array(SLOT_MASK + 1);
  for (let id = 1; id < FIELD_ID_COUNT; id++) {
    const name = NAMES[id]!;
    const third = name.charCodeAt(Math.min(2, name.length - 1));
    const slot = slotOf(name.length, third, name.charCodeAt(Math.max(0, name.length - 4)));
    if (slots[slot] !== 0) {
      throw new Error(
        `Field names "${name}" and "${NAMES[slots[slot]!]}" share a slot: find other multipliers for slotOf`,
      );
    }
    slots[slot] = id;
  }
  return slots;
}
