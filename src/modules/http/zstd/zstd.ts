/*
 * zstd: as gzip, with a coding that is faster at the same size, where Node has it (from 22.15 on). The directives
 * are those of the module that people add to nginx (tokers/zstd-nginx-module).
 */
import * as zlib from 'node:zlib';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { number } from '../../../conf/values/number.js';
import { size } from '../../../conf/values/size.js';
import type { Codec, Coding } from '../../../request/codec-filter.js';
import { CompressionFilter } from '../../../request/compression-filter.js';
import { FilterOrder } from '../../../request/response-filter.js';
import { compressionRules } from '../../compression-rules.js';
import type { HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';

const LEVELS = ['http', 'server', 'location'] as const;

const zstd = defineDirective({
  name: 'zstd',
  syntax: 'zstd on | off',
  contexts: [...LEVELS, 'location if'],
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Compresses answers with zstd for clients that accept it; needs Node 22.15 or newer.',
  since: '0.2.0',
  effect: 'full',
});

const zstdCompLevel = defineDirective({
  name: 'zstd_comp_level',
  syntax: 'zstd_comp_level level',
  contexts: LEVELS,
  args: [number({ min: 1, max: 22 })],
  block: null,
  default: '3',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How hard zstd tries: 1 is fastest, 22 makes the least bytes.',
  since: '0.2.0',
  effect: 'full',
});

const zstdMinLength = defineDirective({
  name: 'zstd_min_length',
  syntax: 'zstd_min_length length',
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

const zstdTypes = defineTypeList('zstd_types', 'are compressed');

interface ZstdOptions {
  readonly chunkSize: number;
  readonly params: Readonly<Record<number, number>>;
}

/** What newer Nodes have in node:zlib; the types we build with know nothing of it. */
interface ZstdOfNode {
  readonly createZstdCompress?: (options: ZstdOptions) => Codec;
  readonly zstdCompressSync?: (bytes: Buffer, options: ZstdOptions) => Buffer;
  readonly constants: {
    readonly ZSTD_c_compressionLevel?: number;
    readonly ZSTD_e_flush?: number;
  };
}

function codingOf(level: number): Coding | null {
  const { createZstdCompress, zstdCompressSync, constants } = zlib as unknown as ZstdOfNode;
  if (createZstdCompress === undefined || zstdCompressSync === undefined) return null;
  const options = { chunkSize: 32768, params: { [constants.ZSTD_c_compressionLevel!]: level } };
  return {
    create: () => createZstdCompress(options),
    codeAtOnce: (bytes) => zstdCompressSync(bytes, options),
    flushKind: constants.ZSTD_e_flush!,
    failure: 'zstd failed',
  };
}

function unavailable() {
  return finding(
    'zstd-unavailable',
    `"zstd" cannot be used with Node ${process.versions.node}`,
    'it needs Node 22.15 or newer; or use "brotli on" or "gzip on"',
  );
}

export const zstdModule: HttpModule = {
  name: 'zstd',
  directives: [zstd, zstdTypes, zstdCompLevel, zstdMinLength],
  location(scope, build) {
    if (!scope.value(zstd)[0]) return;
    const coding = codingOf(scope.value(zstdCompLevel)[0]);
    if (coding === null) {
      build.report(scope.find(zstd)!.node, unavailable());
      return;
    }
    build.addFilter(
      new CompressionFilter({
        order: FilterOrder.zstd,
        encoding: 'zstd',
        coding,
        types: typesOf(scope, zstdTypes),
        minLength: scope.value(zstdMinLength)[0],
        rules: compressionRules(scope),
        state: null,
      }),
    );
  },
};
