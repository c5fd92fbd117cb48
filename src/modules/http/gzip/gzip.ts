/*
 * gzip: answers compressed for clients that take them so (nginx: ngx_http_gzip_filter_module).
 */
import { constants, createGzip, gzipSync, type ZlibOptions } from 'node:zlib';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { flag } from '../../../conf/values/flag.js';
import { number } from '../../../conf/values/number.js';
import { size } from '../../../conf/values/size.js';
import { Refusal, type ValueType } from '../../../conf/values/value-type.js';
import type { CodecFilter, Coding } from '../../../request/codec-filter.js';
import { CompressionFilter } from '../../../request/compression-filter.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { RequestState } from '../../../request/request-state.js';
import { FilterOrder } from '../../../request/response-filter.js';
import { COMPRESSION_RULE_DIRECTIVES, compressionRules } from '../../compression-rules.js';
import type { HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';

const LEVELS = ['http', 'server', 'location'] as const;

/** Of zlib's window and hash tables: a power of two. */
function powerOfTwo(least: number, most: number): ValueType<number> {
  return {
    label: 'size',
    parse(text) {
      const value = size.parse(text);
      if (value instanceof Refusal) return value;
      const isPower = value >= least && value <= most && (value & (value - 1)) === 0;
      const range = `a power of two from ${least} to ${most / 1024}k`;
      return isPower ? value : new Refusal(`Cannot take size "${text}": use ${range}`);
    },
  };
}

const gzip = defineDirective({
  name: 'gzip',
  syntax: 'gzip on | off',
  contexts: [...LEVELS, 'location if'],
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Compresses answers with gzip for clients that accept it.',
  since: '0.2.0',
  effect: 'full',
});

const gzipCompLevel = defineDirective({
  name: 'gzip_comp_level',
  syntax: 'gzip_comp_level level',
  contexts: LEVELS,
  args: [number({ min: 1, max: 9 })],
  block: null,
  default: '1',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How hard gzip tries: 1 is fastest, 9 makes the least bytes.',
  since: '0.2.0',
  effect: 'full',
});

const gzipMinLength = defineDirective({
  name: 'gzip_min_length',
  syntax: 'gzip_min_length length',
  contexts: LEVELS,
  args: [size],
  block: null,
  default: '20',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Answers whose Content-Length is less than this are not compressed.',
  since: '0.2.0',
  effect: 'full',
});

const gzipBuffers = defineDirective({
  name: 'gzip_buffers',
  syntax: 'gzip_buffers number size',
  contexts: LEVELS,
  args: [number({ min: 1 }), size],
  block: null,
  default: '32 4k',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Buffers of nginx for what is compressed; what Sluice holds has a bound of its own.',
  since: '0.2.0',
  effect: 'none',
});

const gzipWindow = defineDirective({
  name: 'gzip_window',
  syntax: 'gzip_window size',
  contexts: LEVELS,
  args: [powerOfTwo(512, 32768)],
  block: null,
  default: '32k',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How far back gzip looks for repetitions.',
  since: '0.2.0',
  effect: 'full',
});

const gzipHash = defineDirective({
  name: 'gzip_hash',
  syntax: 'gzip_hash size',
  contexts: LEVELS,
  args: [powerOfTwo(512, 131072)],
  block: null,
  default: '64k',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The size of the table by which gzip finds repetitions.',
  since: '0.2.0',
  effect: 'full',
});

const postponeGzipping = defineDirective({
  name: 'postpone_gzipping',
  syntax: 'postpone_gzipping size',
  contexts: LEVELS,
  args: [size],
  block: null,
  default: '0',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Tells nginx to gather bytes before it compresses; Sluice does so by itself.',
  since: '0.2.0',
  effect: 'none',
});

const gzipNoBuffer = defineDirective({
  name: 'gzip_no_buffer',
  syntax: 'gzip_no_buffer on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: "Makes nginx's gzip pass on what it has at once.",
  since: '0.2.0',
  effect: 'none',
});

const gzipTypes = defineTypeList('gzip_types', 'are compressed');

/** The filter that compressed a request's answer. */
const filters = new RequestState<CodecFilter>();

/** nginx's choice of window and hash: no larger than the body needs. */
function options(level: number, windowBits: number, memLevel: number, length: number): ZlibOptions {
  let bits = windowBits;
  let memory = memLevel;
  while (length > 0 && bits > 9 && length < 2 ** (bits - 1) - 262) {
    bits--;
    memory--;
  }
  return { level, windowBits: bits, memLevel: Math.max(1, memory), chunkSize: 32768 };
}

function codingOf(scope: Scope): Coding {
  const [level] = scope.value(gzipCompLevel);
  const windowBits = Math.log2(scope.value(gzipWindow)[0]);
  const memLevel = Math.log2(scope.value(gzipHash)[0]) - 8;
  const optionsFor = (length: number) => options(level, windowBits, memLevel, length);
  return {
    create: (length) => createGzip(optionsFor(length)),
    codeAtOnce: (bytes, length) => gzipSync(bytes, optionsFor(length)),
    flushKind: constants.Z_SYNC_FLUSH,
    failure: 'deflate() failed',
  };
}

/** `2.13`: how much smaller the body got; null when it wasn't compressed. */
function gzipRatio(request: HttpRequest): string | null {
  const filter = filters.of(request);
  if (filter === undefined || filter.bytesOut === 0) return null;
  return (Math.round((filter.bytesIn * 100) / filter.bytesOut) / 100).toFixed(2);
}

export const gzipModule: HttpModule = {
  name: 'gzip',
  directives: [
    gzip,
    gzipTypes,
    gzipCompLevel,
    gzipMinLength,
    gzipBuffers,
    gzipWindow,
    gzipHash,
    postponeGzipping,
    gzipNoBuffer,
    ...COMPRESSION_RULE_DIRECTIVES,
  ],
  variables(table) {
    table.define({ name: 'gzip_ratio', get: gzipRatio, isVolatile: true });
  },
  location(scope, build) {
    if (!scope.value(gzip)[0]) return;
    build.addFilter(
      new CompressionFilter({
        order: FilterOrder.gzip,
        encoding: 'gzip',
        coding: codingOf(scope),
        types: typesOf(scope, gzipTypes),
        minLength: scope.value(gzipMinLength)[0],
        rules: compressionRules(scope),
        state: filters,
      }),
    );
  },
};
