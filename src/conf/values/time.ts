/*
 * Lengths of time. nginx keeps some in milliseconds and some in seconds, which shows in the units they may
 * have; all are milliseconds here.
 */
import { parseDurationMs } from '../../core/duration.js';
import { refuseErrors, type ValueType } from './value-type.js';

/** Most timeouts: from ms to w. */
export const timeMs: ValueType<number> = {
  label: 'time',
  parse: (text) => refuseErrors(() => parseDurationMs(text, 'to-weeks')),
};

/** Times of whole seconds: from s to y. */
export const wholeSecondsMs: ValueType<number> = {
  label: 'time',
  parse: (text) => refuseErrors(() => parseDurationMs(text, 'from-seconds')),
};
