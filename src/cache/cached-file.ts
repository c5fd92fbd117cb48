/*
 * A stored answer as a file: a fixed beginning, what is known of the answer as JSON, then its body. Written under a
 * temporary name and renamed only once it is whole, so that whoever opens one by its name has all of it.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Nobody else's files begin so: others in the folder are left alone. */
const MARKER = Buffer.from('SLUICE1\n', 'latin1');
const VALID_AT = 8;
const BODY_LENGTH_AT = 16;
const ABOUT_LENGTH_AT = 24;
const FIXED_BYTES = 32;

/** Read at once: the beginning of nearly all files up to their bodies. */
const FIRST_READ = 8192;
/** More than the head of any answer that is passed on. */
const MAX_ABOUT_BYTES = 4194304;

/** What is kept of an answer beside its body. */
export interface AboutAnswer {
  readonly key: string;
  /** Its head as the upstream sent it. */
  readonly head: string;
  /** For If-Modified-Since, as it came; '' for none. */
  readonly lastModified: string;
  /** For If-None-Match; '' for none. */
  readonly etag: string;
  /** Names of request fields it depends on, in lower case with commas between; '' for none. */
  readonly vary: string;
  /** Tells requests apart by those fields. */
  readonly variant: string;
  /** How many seconds longer it may be used while a new one is fetched, and if that fails. */
  readonly staleWhileUpdating: number;
  readonly staleIfError: number;
}

/** An open one. Whoever has it closes it. */
export class CachedFile {
  readonly descriptor: number;
  readonly path: string;
  readonly about: AboutAnswer;
  readonly bodyStart: number;
  readonly bodyBytes: number;
  /** Unix seconds; the last one in which it is fresh. */
  validUntil: number;

  constructor(
    descriptor: number,
    path: string,
    about: AboutAnswer,
    bodyStart: number,
    bodyBytes: number,
    validUntil: number,
  ) {
    this.descriptor = descriptor;
    this.path = path;
    this.about = about;
    this.bodyStart = bodyStart;
    this.bodyBytes = bodyBytes;
    this.validUntil = validUntil;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** It is fresh for longer than was thought. Throws what the system does. */
  prolong(validUntil: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(validUntil);
    const descriptor = openSync(this.path, 'r+');
    try {
      // Another answer may have taken its place meanwhile.
      if (fstatSync(descriptor).ino !== fstatSync(this.descriptor).ino) return;
      writeSync(descriptor, bytes, 0, 8, VALID_AT);
    } finally {
      closeSync(descriptor);
    }
    this.validUntil = validUntil;
  }
}

/** Opens what is stored at `path`; null if there is nothing, or nothing of ours. Throws what else goes wrong. */
export function openCachedFile(path: string): CachedFile | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  let file: CachedFile | null = null;
  try {
    file = readBeginning(descriptor, path);
  } finally {
    if (file === null) closeSync(descriptor);
  }
  return file;
}

function readBeginning(descriptor: number, path: string): CachedFile | null {
  let bytes: Buffer = Buffer.allocUnsafe(FIRST_READ);
  const count = readSync(descriptor, bytes, 0, FIRST_READ, 0);
  if (count < FIXED_BYTES || MARKER.compare(bytes, 0, MARKER.length) !== 0) return null;
  const validUntil = bytes.readDoubleLE(VALID_AT);
  const bodyBytes = bytes.readDoubleLE(BODY_LENGTH_AT);
  const aboutBytes = bytes.readUInt32LE(ABOUT_LENGTH_AT);
  if (aboutBytes > MAX_ABOUT_BYTES) return null;
  const bodyStart = FIXED_BYTES + aboutBytes;
  if (fstatSync(descriptor).size !== bodyStart + bodyBytes) return null;
  if (bodyStart > count) {
    bytes = Buffer.allocUnsafe(bodyStart);
    if (readSync(descriptor, bytes, 0, bodyStart, 0) < bodyStart) return null;
  }
  try {
    const about = JSON.parse(bytes.toString('utf8', FIXED_BYTES, bodyStart)) as AboutAnswer;
    return new CachedFile(descriptor, path, about, bodyStart, bodyBytes, validUntil);
  } catch {
    return null;
  }
}

/** The size of a whole stored answer at `path`; -1 if it is none. */
export function sizeOfCachedFile(path: string): number {
  const file = openCachedFile(path);
  if (file === null) return -1;
  file.close();
  return file.bodyStart + file.bodyBytes;
}

/** Writes one. After any call that throws it is to be dropped. */
export class CachedFileWriter {
  readonly temporaryPath: string;
  private readonly descriptor: number;
  private readonly bodyStart: number;
  private bodyBytes: number;

  /** Creates the file, and folders on the way to it. Throws what the system does. */
  constructor(temporaryPath: string, about: AboutAnswer, validUntil: number) {
    const text = Buffer.from(JSON.stringify(about), 'utf8');
    const bytes = Buffer.alloc(FIXED_BYTES + text.length);
    MARKER.copy(bytes);
    bytes.writeDoubleLE(validUntil, VALID_AT);
    bytes.writeDoubleLE(-1, BODY_LENGTH_AT);
    bytes.writeUInt32LE(text.length, ABOUT_LENGTH_AT);
    text.copy(bytes, FIXED_BYTES);
    mkdirSync(dirname(temporaryPath), { recursive: true, mode: 0o700 });
    this.temporaryPath = temporaryPath;
    this.bodyStart = bytes.length;
    this.bodyBytes = 0;
    this.descriptor = openSync(temporaryPath, 'wx', 0o600);
    try {
      this.writeAt(bytes, 0);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  write(bytes: Buffer): void {
    this.writeAt(bytes, this.bodyStart + this.bodyBytes);
    this.bodyBytes += bytes.length;
  }

  /** The body is whole: gives the file its name. Returns its size. */
  commit(path: string): number {
    const length = Buffer.alloc(8);
    length.writeDoubleLE(this.bodyBytes);
    this.writeAt(length, BODY_LENGTH_AT);
    renameSync(this.temporaryPath, path);
    closeSync(this.descriptor);
    return this.bodyStart + this.bodyBytes;
  }

  drop(): void {
    try {
      closeSync(this.descriptor);
      unlinkSync(this.temporaryPath);
    } catch {
      // There is no more that could be done, and nobody finds it by that name.
    }
  }

  private writeAt(bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.descriptor, bytes, at, bytes.length - at, position + at);
    }
  }
}
