/*
 * The files of a configuration as they were when it was read, so that every worker reads the same however they change
 * meanwhile.
 */
import type { ConfReader, ReadFailure } from '../conf/load/reader.js';

/** What was read; can be sent to another thread. */
export interface ConfSnapshot {
  readonly files: ReadonlyMap<string, string | ReadFailure>;
  readonly folders: ReadonlyMap<string, readonly string[] | null>;
}

/** A reader that keeps what it reads. */
export function recordingReader(reader: ConfReader): { reader: ConfReader; snapshot: ConfSnapshot } {
  const files = new Map<string, string | ReadFailure>();
  const folders = new Map<string, readonly string[] | null>();
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
    snapshot: { files, folders },
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
