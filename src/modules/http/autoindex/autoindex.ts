/*
 * autoindex: a request for a folder is answered with a listing of it.
 */
import { defineDirective } from '../../../conf/schema/definition.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { logErrorOf } from '../../../request/error-line.js';
import { filePath } from '../../../request/file-path.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { DECLINED, DONE, type Outcome, type PhaseHandler } from '../../../request/phase.js';
import { type FolderEntry, readFolder } from '../../../request/read-folder.js';
import { sendHead } from '../../../request/send.js';
import type { HttpModule } from '../../module.js';
import {
  compareEntries,
  type ListedEntry,
  listAsHtml,
  listAsJson,
  listAsJsonp,
  listAsXml,
} from './listing.js';

const CONTEXTS = ['http', 'server', 'location'] as const;

const autoindex = defineDirective({
  name: 'autoindex',
  syntax: 'autoindex on | off',
  contexts: CONTEXTS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether a folder without an index file is answered with a listing.',
  since: '0.2.0',
  effect: 'full',
});

const autoindexFormat = defineDirective({
  name: 'autoindex_format',
  syntax: 'autoindex_format html | xml | json | jsonp',
  contexts: CONTEXTS,
  args: [keyword('html', 'json', 'jsonp', 'xml')],
  block: null,
  default: 'html',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The form of listings; the function that jsonp calls is the argument "callback".',
  since: '0.2.0',
  effect: 'full',
});

const autoindexLocaltime = defineDirective({
  name: 'autoindex_localtime',
  syntax: 'autoindex_localtime on | off',
  contexts: CONTEXTS,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether listings in HTML have local times instead of UTC.',
  since: '0.2.0',
  effect: 'full',
});

const autoindexExactSize = defineDirective({
  name: 'autoindex_exact_size',
  syntax: 'autoindex_exact_size on | off',
  contexts: CONTEXTS,
  args: [flag],
  block: null,
  default: 'on',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether listings in HTML have sizes in bytes instead of K, M and G.',
  since: '0.2.0',
  effect: 'full',
});

export const autoindexModule: HttpModule = {
  name: 'autoindex',
  directives: [autoindex, autoindexFormat, autoindexLocaltime, autoindexExactSize],
  location(scope, build) {
    if (!scope.value(autoindex)[0]) return;
    const lister: Lister = {
      format: scope.value(autoindexFormat)[0],
      isLocalTime: scope.value(autoindexLocaltime)[0],
      isExactSize: scope.value(autoindexExactSize)[0],
    };
    build.addHandler('content', serveListing(lister));
  },
};

type Format = 'html' | 'json' | 'jsonp' | 'xml';

interface Lister {
  readonly format: Format;
  readonly isLocalTime: boolean;
  readonly isExactSize: boolean;
}

function serveListing(lister: Lister): PhaseHandler {
  return (request) => {
    if (!request.path.endsWith('/')) return DECLINED;
    if (request.method !== 'GET' && request.method !== 'HEAD') return DECLINED;
    const path = filePath(request);
    if (path === null) return 500;
    const callback = lister.format === 'jsonp' ? callbackOf(request) : '';
    if (callback === null) return 400;
    return list(request, path.length > 1 ? path.slice(0, -1) : path, lister, callback);
  };
}

const CALLBACK_LENGTH = 128;

/** The function a listing is given to; '' without one. Null, logged, for what is no name. */
function callbackOf(request: HttpRequest): string | null {
  const callback = /(?:^|&)callback=([^&]*)/i.exec(request.args)?.[1] ?? '';
  const problem =
    callback.length > CALLBACK_LENGTH ? 'too long' : /^[\w.]*$/.test(callback) ? null : 'invalid';
  if (problem === null) return callback;
  logErrorOf(request, 'info', `client sent ${problem} callback name: "${callback}"`);
  return null;
}

const TYPES: Readonly<Record<Format, string>> = {
  html: 'text/html',
  json: 'application/json',
  jsonp: 'application/javascript',
  xml: 'text/xml',
};

async function list(request: HttpRequest, path: string, lister: Lister, callback: string): Promise<Outcome> {
  const found = await readFolder(request, path);
  if (typeof found === 'number') return found;
  if (request.isOver) return DONE;
  const format = lister.format === 'jsonp' && callback === '' ? 'json' : lister.format;
  const { response } = request;
  response.status = 200;
  response.contentType = TYPES[format];
  if (format === 'xml') response.charset = 'utf-8';
  if (!sendHead(request)) return DONE;
  if (!response.isHeadOnly) {
    // Only now it is known what charset the filters say.
    const isUtf8 = response.charset.toLowerCase() === 'utf-8';
    const entries = found.map(describe).sort(compareEntries);
    const text = write(format, request.path, entries, { ...lister, isUtf8 }, callback);
    request.output.write(Buffer.from(text, 'latin1'), false);
  }
  request.output.end();
  return DONE;
}

function describe({ name, stats }: FolderEntry): ListedEntry {
  const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
  return { name, kind, size: stats.size, modified: Math.floor(stats.mtimeMs / 1000) };
}

function write(
  format: Format,
  path: string,
  entries: readonly ListedEntry[],
  style: Parameters<typeof listAsHtml>[2],
  callback: string,
): string {
  switch (format) {
    case 'html':
      return listAsHtml(path, entries, style);
    case 'json':
      return listAsJson(entries);
    case 'jsonp':
      return listAsJsonp(entries, callback);
    case 'xml':
      return listAsXml(entries);
  }
}
