/*
 * Sizes in bytes. nginx has two kinds, and only one of them knows gigabytes.
 */
import { parseSizeBytes } from '../../core/size.js';
import { refuseErrors, type ValueType } from './value-type.js';

/** Of something in memory: a buffer, a zone. With k or m. */
export const size: ValueType<number> = {
  label: 'size',
  parse: (text) => refuseErrors(() => parseSizeBytes(text, 'm')),
};

/** Of something on disk or on the wire: a file, a body. With k, m or g. */
export const offset: ValueType<number> = {
  label: 'size',
  parse: (text) => refuseErrors(() => parseSizeBytes(text, 'g')),
};
