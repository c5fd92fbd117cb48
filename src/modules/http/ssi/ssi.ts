/*
 * ssi: commands in pages (nginx: ngx_http_ssi_module). What is declared and decided by configuration is here; what
 * happens to a page is ssi-body.ts.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { size } from '../../../conf/values/size.js';
import { formatTime } from '../../../core/strftime.js';
import type { ContentTypes } from '../../../request/content-types.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { RequestState } from '../../../request/request-state.js';
import type { Response } from '../../../request/response.js';
import { FilterOrder, type ResponseFilter } from '../../../request/response-filter.js';
import type { HttpModule } from '../../module.js';
import { defineTypeList, typesOf } from '../../type-list.js';
import { DEFAULT_TIME_FORMAT, SsiBody, type SsiSettings } from './ssi-body.js';
import { SsiPage } from './ssi-page.js';

const LEVELS = ['http', 'server', 'location'] as const;

const ssi = defineDirective({
  name: 'ssi',
  syntax: 'ssi on | off',
  contexts: [...LEVELS, 'location if'],
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Carries out the SSI commands in answers.',
  since: '0.2.0',
  effect: 'full',
});

const ssiSilentErrors = defineDirective({
  name: 'ssi_silent_errors',
  syntax: 'ssi_silent_errors on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether nothing stands in the place of a command that failed.',
  since: '0.2.0',
  effect: 'full',
});

const ssiIgnoreRecycledBuffers = defineDirective({
  name: 'ssi_ignore_recycled_buffers',
  syntax: 'ssi_ignore_recycled_buffers on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: "Is about nginx's buffers.",
  since: '0.2.0',
  effect: 'none',
});

const ssiMinFileChunk = defineDirective({
  name: 'ssi_min_file_chunk',
  syntax: 'ssi_min_file_chunk size',
  contexts: LEVELS,
  args: [size],
  block: null,
  default: '1k',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'From which size on nginx sends parts of a page with sendfile.',
  since: '0.2.0',
  effect: 'none',
});

const ssiValueLength = defineDirective({
  name: 'ssi_value_length',
  syntax: 'ssi_value_length length',
  contexts: LEVELS,
  args: [size],
  block: null,
  default: '255',
  inherit: 'replace',
  isRepeatable: false,
  summary: "How long the value of a command's parameter may be.",
  since: '0.2.0',
  effect: 'full',
});

const ssiLastModified = defineDirective({
  name: 'ssi_last_modified',
  syntax: 'ssi_last_modified on | off',
  contexts: LEVELS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether pages with SSI keep their Last-Modified, and a weak ETag.',
  since: '0.2.0',
  effect: 'full',
});

const ssiTypes = defineTypeList('ssi_types', 'have their SSI commands carried out');

/** Of the client's request. */
const pages = new RequestState<SsiPage>();
/** Of each request. */
const bodies = new RequestState<SsiBody>();

class SsiFilter implements ResponseFilter {
  readonly order = FilterOrder.ssi;
  readonly isForSubrequests = true;
  readonly makesSubrequests = true;
  private readonly settings: SsiSettings;
  private readonly types: ContentTypes;
  private readonly keepsLastModified: boolean;

  constructor(settings: SsiSettings, types: ContentTypes, keepsLastModified: boolean) {
    this.settings = settings;
    this.types = types;
    this.keepsLastModified = keepsLastModified;
  }

  begin(request: HttpRequest, response: Response): SsiBody | null {
    if (response.contentLength === 0 || !this.types.has(response.contentType)) return null;
    if (request.parent === null) {
      response.forgetLength();
      if (this.keepsLastModified) response.weakenEtag();
      else {
        response.lastModified = -1;
        response.etag = '';
      }
    }
    if (response.isHeadOnly) return null;
    const body = new SsiBody(request, this.settings, pageOf(request.main));
    bodies.set(request, body);
    return body;
  }
}

function pageOf(main: HttpRequest): SsiPage {
  let page = pages.of(main);
  if (page === undefined) {
    page = new SsiPage();
    pages.set(main, page);
  }
  return page;
}

/** The time by the format that the page has configured. */
function dateOf(request: HttpRequest, isGmt: boolean): string {
  const format = bodies.of(request)?.timeFormat ?? DEFAULT_TIME_FORMAT;
  return formatTime(format, new Date(), isGmt);
}

export const ssiModule: HttpModule = {
  name: 'ssi',
  directives: [
    ssi,
    ssiSilentErrors,
    ssiIgnoreRecycledBuffers,
    ssiMinFileChunk,
    ssiValueLength,
    ssiTypes,
    ssiLastModified,
  ],
  variables(table) {
    table.define({ name: 'date_local', get: (request) => dateOf(request, false), isVolatile: true });
    table.define({ name: 'date_gmt', get: (request) => dateOf(request, true), isVolatile: true });
  },
  location(scope, build) {
    if (!scope.value(ssi)[0]) return;
    const { variables } = build;
    const settings: SsiSettings = {
      isSilent: scope.value(ssiSilentErrors)[0],
      maxValue: scope.value(ssiValueLength)[0],
      readVariable: (name, request) => variables.read(name, request),
    };
    build.addFilter(new SsiFilter(settings, typesOf(scope, ssiTypes), scope.value(ssiLastModified)[0]));
  },
};
