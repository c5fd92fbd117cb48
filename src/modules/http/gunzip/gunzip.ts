/*
 * gunzip: answers of upstreams that are compressed, decompressed for clients that don't take them so (nginx:
 * ngx_http_gunzip_filter_module).
 */
import { constants, createGunzip } from 'node:zlib';
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { number } from '../../../conf/values/number.js';
import { size } from '../../../conf/values/size.js';
import { acceptsEncoding, addVary, type CompressionRules } from '../../../request/accepts-encoding.js';
import { CodecFilter, type Coding } from '../../../request/codec-filter.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import { compressionRules } from '../../compression-rules.js';
import type { HttpModule } from '../../module.js';

const LEVELS = ['http', 'server', 'location'] as const;

const gunzip = defineDirective({
  name: 'gunzip',
  syntax: 'gunzip on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Decompresses gzipped answers for clients that do not accept gzip.',
  since: '0.2.0',
  effect: 'full',
});

const gunzipBuffers = defineDirective({
  name: 'gunzip_buffers',
  syntax: 'gunzip_buffers number size',
  contexts: LEVELS,
  args: [number({ min: 1 }), size],
  block: null,
  default: '32 4k',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Buffers of nginx for what is decompressed; what Sluice holds has a bound of its own.',
  since: '0.2.0',
  effect: 'none',
});

/** security: never at once, since a little can become a lot; the codec stops when the client doesn't keep up. */
const GUNZIP: Coding = {
  create: () => createGunzip({ chunkSize: 32768 }),
  codeAtOnce: null,
  flushKind: constants.Z_SYNC_FLUSH,
  failure: 'inflate() failed',
};

class GunzipFilter implements ResponseFilter {
  readonly order = FilterOrder.gunzip;
  readonly isForSubrequests = true;
  private readonly rules: CompressionRules;

  constructor(rules: CompressionRules) {
    this.rules = rules;
  }

  begin(request: HttpRequest, response: Response): CodecFilter | null {
    if (response.contentEncoding.toLowerCase() !== 'gzip') return null;
    if (this.rules.addsVary) addVary(response);
    if (acceptsEncoding(this.rules, request, response, 'gzip')) return null;
    response.contentEncoding = '';
    response.forgetLength();
    response.weakenEtag();
    return response.isHeadOnly ? null : new CodecFilter(request, GUNZIP, -1);
  }
}

export const gunzipModule: HttpModule = {
  name: 'gunzip',
  directives: [gunzip, gunzipBuffers],
  location(scope, build) {
    if (scope.value(gunzip)[0]) build.addFilter(new GunzipFilter(compressionRules(scope)));
  },
};
