/*
 * brotli: as gzip, with a coding that makes text smaller. The directives are those of the module that people add to
 * nginx (google/ngx_brotli).
 */
import { type BrotliOptions, brotliCompressSync, constants, createBrotliCompress } from 'node:zlib';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { number } from '../../../conf/values/number.js';
import { size } from '../../../conf/values/size.js';
import type { Coding } from '../../../request/codec-filter.js';
import { CompressionFilter } from '../../../request/compression-filter.js';
import { FilterOrder } from '../../../request/response-filter.js';
import { compressionRules } from '../../compression-rules.js';
import type { HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';

const LEVELS = ['http', 'server', 'location'] as const;

const brotli = defineDirective({
  name: 'brotli',
  syntax: 'brotli on | off',
  contexts: [...LEVELS, 'location if'],
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Compresses answers with brotli for clients that accept it; it goes before zstd and gzip.',
  since: '0.2.0',
  effect: 'full',
});

const brotliCompLevel = defineDirective({
  name: 'brotli_comp_level',
  syntax: 'brotli_comp_level level',
  contexts: LEVELS,
  args: [number({ min: 0, max: 11 })],
  block: null,
  default: '6',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How hard brotli tries: 0 is fastest; 10 and 11 are for what is compressed once and sent often.',
  since: '0.2.0',
  effect: 'full',
});

const brotliMinLength = defineDirective({
  name: 'brotli_min_length',
  syntax: 'brotli_min_length length',
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

const brotliTypes = defineTypeList('brotli_types', 'are compressed');

function codingOf(level: number): Coding {
  const optionsFor = (length: number): BrotliOptions => ({
    chunkSize: 32768,
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_SIZE_HINT]: Math.max(0, Math.min(length, 0x7fffffff)),
    },
  });
  return {
    create: (length) => createBrotliCompress(optionsFor(length)),
    codeAtOnce: (bytes, length) => brotliCompressSync(bytes, optionsFor(length)),
    flushKind: constants.BROTLI_OPERATION_FLUSH,
    failure: 'brotli failed',
  };
}

export const brotliModule: HttpModule = {
  name: 'brotli',
  directives: [brotli, brotliTypes, brotliCompLevel, brotliMinLength],
  location(scope, build) {
    if (!scope.value(brotli)[0]) return;
    build.addFilter(
      new CompressionFilter({
        order: FilterOrder.brotli,
        encoding: 'br',
        coding: codingOf(scope.value(brotliCompLevel)[0]),
        types: typesOf(scope, brotliTypes),
        minLength: scope.value(brotliMinLength)[0],
        rules: compressionRules(scope),
        state: null,
      }),
    );
  },
};
