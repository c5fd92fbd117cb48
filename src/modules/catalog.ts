/*
 * The built-in modules of `http {}`, in the order their handlers run within a phase: nginx's.
 */

import { additionModule } from './http/addition/addition.js';
import { brotliModule } from './http/brotli/brotli.js';
import { coreModule } from './http/core/core.js';
import { gunzipModule } from './http/gunzip/gunzip.js';
import { gzipModule } from './http/gzip/gzip.js';
import { headersModule } from './http/headers/headers.js';
import { notModifiedModule } from './http/not-modified/not-modified.js';
import { rangeModule } from './http/range/range.js';
import { rewriteModule } from './http/rewrite/rewrite.js';
import { staticModule } from './http/static/static.js';
import { subModule } from './http/sub/sub.js';
import { zstdModule } from './http/zstd/zstd.js';
import type { HttpModule } from './module.js';

/** One line a module. What comes first is asked first. */
export const HTTP_MODULES: readonly HttpModule[] = [
  coreModule,
  rewriteModule,
  // Content: the first one that does not decline.
  staticModule,
  // Filters, which have an order of their own.
  notModifiedModule,
  headersModule,
  rangeModule,
  gzipModule,
  zstdModule,
  brotliModule,
  subModule,
  additionModule,
  gunzipModule,
];
