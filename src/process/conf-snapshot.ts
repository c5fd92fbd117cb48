/*
 * The files of a configuration, and those that it names for their contents, as they were when it was read, so that every worker reads the same however they change
 * meanwhile.
 */
import { readFileSync } from 'node:fs';
import type { ConfReader, ReadFailure } from '../conf/load/reader.js';

/** What was read; can be sent to another thread. */
export interface ConfSnapshot {
  readonly files: ReadonlyMap<string, string | ReadFailure>;
  readonly folders: ReadonlyMap<string, readonly string[] | null>;
  /** Certificates, keys and the like, in latin1. */
  readonly named: ReadonlyMap<string, string>;
}

/** Reads a file in latin1. Throws what the system does. */
type ReadFile = (path: string) => string;

const fromDisk: ReadFile = (path) => readFileSync(path, 'latin1');

/** Readers that keep what they read. */
export function recordingReader(reader: ConfReader): {
  reader: ConfReader;
  readFile: ReadFile;
  snapshot: ConfSnapshot;
} {
  const files = new Map<string, string | ReadFailure>();
  const folders = new Map<string, readonly string[] | null>();
  const named = new Map<string, string>();
  return {
    reader: {
      readFile(path) {
        const text = reader.readFile(path);
        files.set(path, text);
        return text;
      },
      listFolder(path) {
        const names = reader.listFolder(path);
        folders.set(path, names);
        return names;
      },
    },
    readFile(path) {
      const text = fromDisk(path);
      named.set(path, text);
      return text;
    },
    snapshot: { files, folders, named },
  };
}

const NOT_READ: ReadFailure = { code: 'ENOENT', number: 2 };

/** Reads what was read before, and finds nothing else. */
export function snapshotReader({ files, folders }: ConfSnapshot): ConfReader {
  return {
    readFile: (path) => files.get(path) ?? NOT_READ,
    listFolder: (path) => folders.get(path) ?? null,
  };
}

/** Has what was read before; the rest is on the disk. */
export function snapshotFile({ named }: ConfSnapshot): ReadFile {
  return (path) => named.get(path) ?? fromDisk(path);
}
