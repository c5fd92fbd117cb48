/*
 * Opening a path step by step, so that no step goes through a symbolic link that disable_symlinks forbids, whatever
 * happens to the folders meanwhile. Node has no openat(2); a name below /proc/self/fd/N means the same.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import type { SymlinkGuard, SymlinkRule } from './file-access.js';
import { toFileName } from './file-path.js';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Linux: a descriptor to go on from, for which a folder need not be readable. Node has no name for it. */
const O_PATH = 0x200000;
const STEP_FLAGS = O_PATH | O_RDONLY | O_DIRECTORY | O_NONBLOCK;
const READ_FLAGS = O_RDONLY | O_NONBLOCK;

/** The folder whose entries are this process's descriptors. Without it (no Linux) links can't be guarded against. */
export const DESCRIPTOR_FOLDER = '/proc/self/fd';

/** Opens `path`, which is absolute, for reading; throws the system's error, ELOOP for a link that is forbidden. */
export function openGuarded(path: string, guard: SymlinkGuard): number {
  const start = guard.from === 0 ? '/' : path.slice(0, guard.from);
  let folder = openSync(toFileName(start), STEP_FLAGS);
  let at = guard.from + 1;
  try {
    for (;;) {
      const slash = path.indexOf('/', at);
      if (slash < 0) break;
      if (slash > at) {
        const next = openStep(folder, path.slice(at, slash), STEP_FLAGS, guard.rule);
        closeSync(folder);
        folder = next;
      }
      at = slash + 1;
    }
    // Behind a final slash there is the folder itself.
    if (at === path.length) return openSync(nameIn(folder, '.'), READ_FLAGS);
    return openStep(folder, path.slice(at), READ_FLAGS, guard.rule);
  } finally {
    closeSync(folder);
  }
}

function openStep(folder: number, name: string, flags: number, rule: SymlinkRule): number {
  const entry = nameIn(folder, name);
  if (rule === 'on') return openSync(entry, flags | O_NOFOLLOW);
  const descriptor = openSync(entry, flags);
  // Also for what is no link by now: it may have been one when it was opened.
  if (fstatSync(descriptor).uid === lstatSync(entry).uid) return descriptor;
  closeSync(descriptor);
  throw Object.assign(new Error('Symbolic link of another owner'), { code: 'ELOOP', errno: -40 });
}

function nameIn(folder: number, name: string): string | Buffer {
  return toFileName(`${DESCRIPTOR_FOLDER}/${folder}/${name}`);
}
