/*
 * One finding in a configuration, with what both renderings need: a sentence for people with the exact place,
 * and nginx's own words with the line that nginx would name. The sentences are in catalogue.ts.
 */
import type { Span } from '../syntax/source.js';
import type { Finding } from './catalogue.js';

/** A place that explains the finding, such as where a block was opened. */
export interface Note {
  readonly message: string;
  readonly span: Span;
}

/** A finding at its place. */
export interface Diagnostic extends Finding {
  /** Null when there is no text to point into, as for a main file that cannot be opened. */
  readonly span: Span | null;
  /** The offset in the span's source whose line nginx puts into its log: mostly that of the `;` or `{`. */
  readonly logOffset: number;
  readonly notes: readonly Note[];
}

/** Puts a finding at a place. nginx's line is that of the place itself unless `logOffset` says otherwise. */
export function diagnose(
  finding: Finding,
  span: Span | null,
  logOffset: number = span?.start ?? 0,
  notes: readonly Note[] = [],
): Diagnostic {
  return { ...finding, span, logOffset, notes };
}
