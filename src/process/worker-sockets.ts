/*
 * Whose the listening sockets are that a program takes over. A worker's have its index behind the key; those without one
 * were nobody's: of a program with one thread, or of who starts programs on sockets (systemd).
 */
import { closeSync } from 'node:fs';

/** The key of a worker's socket among those of all workers. */
export function keyOfWorker(key: string, index: number): string {
  return `${key}#${index}`;
}

/** Those that so many workers can take; the others are closed, since clients would wait at them for ever. */
export function socketsForWorkers(
  count: number,
  inherited: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  for (const [key, fd] of inherited) {
    if (indexOf(key) < count) taken.set(key, fd);
    else closeSync(fd);
  }
  return taken;
}

/** Those of one worker by their plain keys; the first has those that are nobody's too. */
export function socketsOfWorker(
  index: number,
  inherited: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map(
    [...inherited].filter(([key]) => indexOf(key) === index).map(([key, fd]) => [plainOf(key), fd]),
  );
}

/** The keys of those that only the first worker can have. */
export function unsharedAmong(inherited: ReadonlyMap<string, number>): ReadonlySet<string> {
  return new Set([...inherited.keys()].filter((key) => !key.includes('#')));
}

function indexOf(key: string): number {
  const mark = key.lastIndexOf('#');
  return mark < 0 ? 0 : Number(key.slice(mark + 1));
}

function plainOf(key: string): string {
  const mark = key.lastIndexOf('#');
  return mark < 0 ? key : key.slice(0, mark);
}
