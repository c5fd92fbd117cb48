/*
 * The built-in modules of `http {}`, in the order their handlers run within a phase: nginx's.
 */
import { accessModule } from './http/access/access.js';
import { additionModule } from './http/addition/addition.js';
import { apiModule } from './http/api/api.js';
import { authBasicModule } from './http/auth-basic/auth-basic.js';
import { authRequestModule } from './http/auth-request/auth-request.js';
import { autoindexModule } from './http/autoindex/autoindex.js';
import { brotliModule } from './http/brotli/brotli.js';
import { browserModule } from './http/browser/browser.js';
import { charsetModule } from './http/charset/charset.js';
import { coreModule } from './http/core/core.js';
import { dashboardModule } from './http/dashboard/dashboard.js';
import { davModule } from './http/dav/dav.js';
import { emptyGifModule } from './http/empty-gif/empty-gif.js';
import { geoModule } from './http/geo/geo.js';
import { gunzipModule } from './http/gunzip/gunzip.js';
import { gzipModule } from './http/gzip/gzip.js';
import { gzipStaticModule } from './http/gzip-static/gzip-static.js';
import { headersModule } from './http/headers/headers.js';
import { indexModule } from './http/index/index-files.js';
import { limitConnModule } from './http/limit-conn/limit-conn.js';
import { limitReqModule } from './http/limit-req/limit-req.js';
import { logModule } from './http/log/log.js';
import { mapModule } from './http/map/map.js';
import { metricsModule } from './http/metrics/metrics.js';
import { mirrorModule } from './http/mirror/mirror.js';
import { notModifiedModule } from './http/not-modified/not-modified.js';
import { otelModule } from './http/otel/otel.js';
import { proxyModule } from './http/proxy/proxy.js';
import { randomIndexModule } from './http/random-index/random-index.js';
import { rangeModule } from './http/range/range.js';
import { realipModule } from './http/realip/realip.js';
import { refererModule } from './http/referer/referer.js';
import { rewriteModule } from './http/rewrite/rewrite.js';
import { secureLinkModule } from './http/secure-link/secure-link.js';
import { splitClientsModule } from './http/split-clients/split-clients.js';
import { ssiModule } from './http/ssi/ssi.js';
import { sslModule } from './http/ssl/ssl.js';
import { staticModule } from './http/static/static.js';
import { statusZoneModule } from './http/status-zone/status-zone.js';
import { stubStatusModule } from './http/stub-status/stub-status.js';
import { subModule } from './http/sub/sub.js';
import { tryFilesModule } from './http/try-files/try-files.js';
import { tunnelModule } from './http/tunnel/tunnel.js';
import { upstreamModule } from './http/upstream/upstream.js';
import { upstreamHashModule } from './http/upstream-hash/upstream-hash.js';
import { upstreamHcModule } from './http/upstream-hc/upstream-hc.js';
import { upstreamIpHashModule } from './http/upstream-ip-hash/upstream-ip-hash.js';
import { upstreamKeepaliveModule } from './http/upstream-keepalive/upstream-keepalive.js';
import { upstreamLeastConnModule } from './http/upstream-least-conn/upstream-least-conn.js';
import { upstreamLeastTimeModule } from './http/upstream-least-time/upstream-least-time.js';
import { upstreamRandomModule } from './http/upstream-random/upstream-random.js';
import { upstreamStickyModule } from './http/upstream-sticky/upstream-sticky.js';
import { upstreamZoneModule } from './http/upstream-zone/upstream-zone.js';
import { useridModule } from './http/userid/userid.js';
import { zstdModule } from './http/zstd/zstd.js';
import type { HttpModule } from './module.js';

/** One line a module. What comes first is asked first. */
export const HTTP_MODULES: readonly HttpModule[] = [
  coreModule,
  sslModule,
  // What an upstream block says, its zone first.
  upstreamZoneModule,
  upstreamModule,
  upstreamHashModule,
  upstreamIpHashModule,
  upstreamLeastConnModule,
  upstreamLeastTimeModule,
  upstreamRandomModule,
  upstreamStickyModule,
  upstreamHcModule,
  upstreamKeepaliveModule,
  // Variables.
  mapModule,
  geoModule,
  splitClientsModule,
  browserModule,
  refererModule,
  secureLinkModule,
  // Right after the head.
  realipModule,
  otelModule,
  rewriteModule,
  // Preaccess.
  limitReqModule,
  limitConnModule,
  // Access.
  accessModule,
  authBasicModule,
  authRequestModule,
  // Before an answer.
  tryFilesModule,
  mirrorModule,
  // Content: the one a location names, else the first that does not decline.
  proxyModule,
  tunnelModule,
  emptyGifModule,
  stubStatusModule,
  apiModule,
  davModule,
  randomIndexModule,
  indexModule,
  autoindexModule,
  gzipStaticModule,
  staticModule,
  // Filters, which have an order of their own.
  notModifiedModule,
  rangeModule,
  headersModule,
  useridModule,
  gunzipModule,
  additionModule,
  subModule,
  charsetModule,
  ssiModule,
  gzipModule,
  brotliModule,
  zstdModule,
  statusZoneModule,
  // Behind status zones, whose names it uses.
  metricsModule,
  dashboardModule,
  logModule,
];
