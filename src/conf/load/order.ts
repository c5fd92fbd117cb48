/*
 * Findings in the order nginx would come upon them: down the main file, and into an included file where it is
 * included. What nginx says first is then first.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { Source } from '../syntax/source.js';
import type { Conf } from './load.js';

/** A sorted copy; findings at one place keep their order. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[], conf: Conf): Diagnostic[] {
  const ranks = new Map(conf.sources.map(({ source }, rank) => [source, rank]));
  const prefixes = new Map<Source, readonly number[]>();
  const prefixOf = (source: Source): readonly number[] => {
    const known = prefixes.get(source);
    if (known !== undefined) return known;
    const origin = conf.origins.get(source);
    const above = origin === undefined ? [] : [...prefixOf(origin.source), origin.offset];
    const prefix = [...above, ranks.get(source) ?? -1];
    prefixes.set(source, prefix);
    return prefix;
  };
  return diagnostics
    .map((diagnostic) => {
      const source = diagnostic.span?.source;
      return { diagnostic, key: source === undefined ? [] : [...prefixOf(source), diagnostic.logOffset] };
    })
    .sort((a, b) => compare(a.key, b.key))
    .map(({ diagnostic }) => diagnostic);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
