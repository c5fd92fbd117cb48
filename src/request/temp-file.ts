/*
 * New temporary files, numbered as nginx does: ten digits, whose last ones name the folders by the path's levels.
 */
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TempPath } from './settings.js';

/** Other workers count in the same folder, and a program that was killed may have left something: then the next name. */
const MAX_TRIES = 10_000;

let fileCount = 0;

/** An open one; whoever has it closes it. */
export interface TempFile {
  readonly path: string;
  readonly descriptor: number;
}

/** Makes one, for its user alone. Throws what the system does, with the file as its `path`. */
export function openTempFile(where: TempPath, flags: 'wx' | 'wx+'): TempFile {
  for (let tries = 0; ; tries++) {
    const path = nextPath(where);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw Object.assign(error as NodeJS.ErrnoException, { path });
    }
    try {
      return { path, descriptor: openSync(path, flags, 0o600) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === MAX_TRIES) throw error;
    }
  }
}

function nextPath({ path, levels }: TempPath): string {
  const name = String(++fileCount).padStart(10, '0');
  let folders = '';
  let end = name.length;
  for (const length of levels) {
    folders += `/${name.slice(end - length, end)}`;
    end -= length;
  }
  return `${path}${folders}/${name}`;
}
