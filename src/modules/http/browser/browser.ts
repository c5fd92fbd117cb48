/*
 * nginx's browser module: variables that tell old browsers from new ones by User-Agent.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { optional, rest } from '../../../conf/schema/arguments.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { text } from '../../../conf/values/text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import { LocationState } from '../../../request/location-state.js';
import type { HttpModule, LocationBuild } from '../../module.js';
import { BROWSERS, type BrowserRules, isModern, type ModernBrowser, parseVersion } from './browser-rules.js';

const PLACES = ['http', 'server', 'location'] as const;

const modernBrowser = defineDirective({
  name: 'modern_browser',
  syntax: 'modern_browser browser version | unlisted',
  contexts: PLACES,
  args: [text('browser | unlisted'), optional(text('version'))],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'From which version on a browser is modern; "unlisted": all that are not named.',
  since: '0.2.0',
  effect: 'full',
});

const ancientBrowser = defineDirective({
  name: 'ancient_browser',
  syntax: 'ancient_browser text ... | netscape4',
  contexts: PLACES,
  args: [rest(text('text | netscape4'), 1)],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: 'What is in the User-Agent of old browsers.',
  since: '0.2.0',
  effect: 'full',
});

const modernValue = defineDirective({
  name: 'modern_browser_value',
  syntax: 'modern_browser_value text',
  contexts: PLACES,
  args: [text()],
  block: null,
  default: '1',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The value of $modern_browser for modern browsers.',
  since: '0.2.0',
  effect: 'full',
});

const ancientValue = defineDirective({
  name: 'ancient_browser_value',
  syntax: 'ancient_browser_value text',
  contexts: PLACES,
  args: [text()],
  block: null,
  default: '1',
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The value of $ancient_browser for old browsers.',
  since: '0.2.0',
  effect: 'full',
});

export const browserModule: HttpModule = {
  name: 'browser',
  directives: [modernBrowser, ancientBrowser, modernValue, ancientValue],
  variables(table) {
    const define = (name: string, get: (request: HttpRequest) => string) =>
      table.define({ name, isChangeable: true, get });
    define('modern_browser', (request) => (isRequestModern(request) ? settingsOf(request).modernValue : ''));
    define('ancient_browser', (request) =>
      isRequestModern(request) ? '' : settingsOf(request).ancientValue,
    );
    define('msie', ({ userAgent }) => (/MSIE ../.test(userAgent) && !userAgent.includes('Opera') ? '1' : ''));
  },
  location: keepSettings,
};

interface Settings {
  readonly rules: BrowserRules;
  readonly modernValue: string;
  readonly ancientValue: string;
}

const NO_SETTINGS: Settings = {
  rules: { modern: [], isUnlistedModern: false, ancient: [], isNetscape4Ancient: false },
  modernValue: '1',
  ancientValue: '1',
};

const settings = new LocationState<Settings>();

function settingsOf(request: HttpRequest): Settings {
  return settings.of(request) ?? NO_SETTINGS;
}

function isRequestModern(request: HttpRequest): boolean {
  return isModern(settingsOf(request).rules, request.field('user-agent'));
}

function keepSettings(scope: Scope, build: LocationBuild): void {
  const isUsed = [modernBrowser, ancientBrowser, modernValue, ancientValue].some(
    (definition) => scope.find(definition as typeof modernValue) !== null,
  );
  if (!isUsed) return;
  const ancient = scope.all(ancientBrowser).flatMap(({ values }) => values);
  settings.set(build, {
    rules: {
      ...modernOf(scope, build),
      ancient: ancient.filter((one) => one !== 'netscape4').map(toByteString),
      isNetscape4Ancient: ancient.includes('netscape4'),
    },
    modernValue: toByteString(scope.value(modernValue)[0]),
    ancientValue: toByteString(scope.value(ancientValue)[0]),
  });
}

function modernOf(scope: Scope, build: LocationBuild): Pick<BrowserRules, 'modern' | 'isUnlistedModern'> {
  const modern: ModernBrowser[] = [];
  let isUnlistedModern = false;
  for (const { values, node } of scope.all(modernBrowser)) {
    const [name, version] = values;
    const index = BROWSERS.findIndex((browser) => browser.name === name.toLowerCase());
    const least = version === undefined ? null : parseVersion(version);
    if (version === undefined && name === 'unlisted') isUnlistedModern = true;
    else if (index < 0) {
      const known = BROWSERS.map((browser) => browser.name).join(', ');
      build.report(node.args[0]!, finding('browser', `unknown browser name "${name}"`, `known are ${known}`));
    } else if (least === null) {
      const message = `invalid browser version "${version ?? ''}"`;
      build.report(node.args[1] ?? node, finding('browser', message, 'write it like 5.0'));
    } else modern.push({ index, version: least });
  }
  return { modern, isUnlistedModern };
}
