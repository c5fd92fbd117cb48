/*
 * The argument `fields` of reading calls: which fields of an object are wanted, as names with commas between them.
 */
import { unescapeUri } from '../../../request/uri-escape.js';

/**
 * What is left of an answer. Of an object of objects (`isMap`) it is about each of those, and an empty list leaves their
 * names alone. Lists stay as they are.
 */
export function applyFields(answer: unknown, args: string, isMap: boolean): unknown {
  const wanted = readFields(args);
  if (wanted === null || !isObject(answer)) return answer;
  if (!isMap) return pick(answer, wanted);
  if (wanted.size === 0) return Object.keys(answer);
  return Object.fromEntries(
    Object.entries(answer).map(([name, each]) => [name, pick(each as Record<string, unknown>, wanted)]),
  );
}

/** Null without the argument. */
function readFields(args: string): Set<string> | null {
  const argument = args.split('&').find((each) => /^fields(=|$)/.test(each));
  if (argument === undefined) return null;
  const names = unescapeUri(argument.slice('fields='.length)).split(',');
  return new Set(names.filter((name) => name !== ''));
}

function pick(object: Record<string, unknown>, wanted: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => wanted.has(name)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
