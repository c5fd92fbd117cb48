/*
 * The numbers that userid gives to browsers: sixteen bytes of server, second, process and counter.
 */
import { threadId } from 'node:worker_threads';
import { parseIpAddress } from '../../../core/ip-address.js';

export type UserId = Buffer;

const ID_BYTES = 16;
/** So many letters of base64 hold them; what follows may be a mark. */
export const ENCODED_LENGTH = 22;

const FIRST_V1 = 1;
const FIRST_V2 = 0x03030302;
const STEP = 0x100;

let nextV1 = FIRST_V1;
let nextV2 = FIRST_V2;

/** Tells processes, and workers, that start in the same second apart. */
const processNumber =
  (((((Date.now() % 1000) * 1000) / 20) << 16) | ((process.pid + threadId) & 0xffff)) >>> 0;

/** A new number of the older kind, whose parts have the machine's order of bytes. */
export function makeUserIdV1(service: number, seconds: number): UserId {
  const id = Buffer.alloc(ID_BYTES);
  id.writeUInt32LE(service, 0);
  id.writeUInt32LE(seconds >>> 0, 4);
  id.writeUInt32LE(processNumber, 8);
  id.writeUInt32LE(nextV1, 12);
  nextV1 = (nextV1 + STEP) >>> 0;
  return id;
}

/** A new number. The server is told by `service` or, if that is null, its address. */
export function makeUserId(service: number | null, address: string, seconds: number): UserId {
  const id = Buffer.alloc(ID_BYTES);
  if (service === null) id.set(parseIpAddress(address)?.subarray(-4) ?? [0, 0, 0, 0], 0);
  else id.writeUInt32BE(service, 0);
  id.writeUInt32BE(seconds >>> 0, 4);
  id.writeUInt32BE(processNumber, 8);
  id.writeUInt32BE(nextV2, 12);
  nextV2 = (nextV2 + STEP) >>> 0;
  if (nextV2 < FIRST_V2) nextV2 = FIRST_V2;
  return id;
}

/** The number in a cookie's value; null for what holds none. */
export function decodeUserId(value: string): UserId | null {
  const encoded = value.slice(0, ENCODED_LENGTH);
  if (!/^[A-Za-z0-9+/]{22}$/.test(encoded)) return null;
  return Buffer.from(encoded, 'base64');
}

/** nginx doesn't count a number whose last part is zero. */
export function isUserId(id: UserId): boolean {
  return id.readUInt32LE(12) !== 0;
}

/** As logs and variables have it: four numbers of eight digits. */
export function formatUserId(id: UserId): string {
  let text = '';
  for (let at = 0; at < ID_BYTES; at += 4) text += id.readUInt32LE(at).toString(16).padStart(8, '0');
  return text.toUpperCase();
}
