/*
 * open_file_cache and disable_symlinks: how files are opened at a level.
 */
import { existsSync } from 'node:fs';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { parameters } from '../../../conf/schema/arguments.js';
import { type DirectiveDefinition, defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { flag } from '../../../conf/values/flag.js';
import { keyword } from '../../../conf/values/keyword.js';
import { number } from '../../../conf/values/number.js';
import { wholeSecondsMs } from '../../../conf/values/time.js';
import { variableText } from '../../../conf/values/variable-text.js';
import type { FileAccess } from '../../../request/file-access.js';
import { OpenFileCache } from '../../../request/open-file-cache.js';
import { DESCRIPTOR_FOLDER } from '../../../request/symbolic-links.js';
import type { HttpBuild } from '../../module.js';
import { HTTP_SERVER_LOCATION } from './contexts.js';

const openFileCache = defineDirective({
  name: 'open_file_cache',
  syntax: 'open_file_cache off | max=number [inactive=time]',
  contexts: HTTP_SERVER_LOCATION,
  args: [parameters({ off: null, max: number({ min: 1 }), inactive: wholeSecondsMs })],
  counts: [1, 2],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary:
    'Keeps files open, and remembers what is at paths, for as long as they are asked for now and then.',
  since: '0.2.0',
  effect: 'full',
});

const openFileCacheValid = defineDirective({
  name: 'open_file_cache_valid',
  syntax: 'open_file_cache_valid time',
  contexts: HTTP_SERVER_LOCATION,
  args: [wholeSecondsMs],
  block: null,
  default: '60s',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How long what open_file_cache knows of a path counts before the path is looked at again.',
  since: '0.2.0',
  effect: 'full',
});

const openFileCacheMinUses = defineDirective({
  name: 'open_file_cache_min_uses',
  syntax: 'open_file_cache_min_uses number',
  contexts: HTTP_SERVER_LOCATION,
  args: [number()],
  block: null,
  default: '1',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'How often a file must be asked for while open_file_cache knows it to be kept open.',
  since: '0.2.0',
  effect: 'full',
});

const openFileCacheErrors = defineDirective({
  name: 'open_file_cache_errors',
  syntax: 'open_file_cache_errors on | off',
  contexts: HTTP_SERVER_LOCATION,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether open_file_cache also remembers that there is no file, or no access to it.',
  since: '0.2.0',
  effect: 'full',
});

const openFileCacheEvents = defineDirective({
  name: 'open_file_cache_events',
  syntax: 'open_file_cache_events on | off',
  contexts: HTTP_SERVER_LOCATION,
  args: [flag],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Whether events of the kernel tell of changes; open_file_cache_valid does here.',
  since: '0.2.0',
  effect: 'none',
});

const disableSymlinks = defineDirective({
  name: 'disable_symlinks',
  syntax: 'disable_symlinks off | on | if_not_owner [from=part]',
  contexts: HTTP_SERVER_LOCATION,
  args: [keyword('off', 'on', 'if_not_owner'), parameters({ from: variableText })],
  counts: [1, 2],
  block: null,
  default: 'off',
  inherit: 'replace',
  isRepeatable: false,
  summary:
    'Whether files are refused whose path has symbolic links in it, or links of another owner; before "from" they are fine.',
  since: '0.2.0',
  effect: 'full',
});

// biome-ignore lint/suspicious/noExplicitAny: each has argument types of its own
export const FILE_ACCESS_DIRECTIVES: readonly DirectiveDefinition<any>[] = [
  openFileCache,
  openFileCacheValid,
  openFileCacheMinUses,
  openFileCacheErrors,
  openFileCacheEvents,
  disableSymlinks,
];

/** How files are opened at a level. */
export function fileAccess(scope: Scope, build: HttpBuild): FileAccess {
  const [symlinks, { from }] = scope.value(disableSymlinks);
  const node = scope.find(disableSymlinks)?.node;
  if (node !== undefined && symlinks === 'off' && from !== undefined) {
    const text = '"from=" cannot be used with "off" parameter';
    build.report(node, finding('useless-from', 'with "off" there is nothing that "from" begins', null, text));
  }
  if (node !== undefined && symlinks !== 'off' && !existsSync(DESCRIPTOR_FOLDER)) {
    const message = `symbolic links can't be told without ${DESCRIPTOR_FOLDER}`;
    build.report(node, finding('no-symlink-checks', message, 'use "disable_symlinks off"'));
  }
  return {
    cache: cacheOf(scope, build),
    validMs: scope.value(openFileCacheValid)[0],
    minUses: scope.value(openFileCacheMinUses)[0],
    cachesErrors: scope.value(openFileCacheErrors)[0],
    symlinks,
    symlinksFrom: from === undefined || node === undefined ? null : build.text(from, node),
  };
}

/** By the node of the directive, so that levels share what they inherit. */
const caches = new WeakMap<object, OpenFileCache>();

function cacheOf(scope: Scope, build: HttpBuild): OpenFileCache | null {
  const directive = scope.find(openFileCache);
  if (directive === null || directive.values[0].off) return null;
  const { node } = directive;
  const known = caches.get(node);
  if (known !== undefined) return known;
  const [{ max, inactive }] = directive.values;
  if (max === undefined) {
    const text = '"open_file_cache" must have the "max" parameter';
    build.report(node, finding('missing-max', 'open_file_cache has no bound', 'add max=1000', text));
    return null;
  }
  const cache = new OpenFileCache(max, inactive ?? 60_000);
  caches.set(node, cache);
  build.onClose(() => cache.clear());
  return cache;
}
