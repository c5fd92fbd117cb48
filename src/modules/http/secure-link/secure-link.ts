/*
 * nginx's secure_link module: whether a link carries the hash that only who knows a secret can make, and is still
 * valid.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { finding } from '../../../conf/diagnostics/catalogue.js';
import { defineDirective } from '../../../conf/schema/definition.js';
import type { Scope } from '../../../conf/schema/scope.js';
import { toByteString } from '../../../conf/syntax/source-text.js';
import { text } from '../../../conf/values/text.js';
import { variableText } from '../../../conf/values/variable-text.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { RequestText } from '../../../request/location.js';
import { LocationState } from '../../../request/location-state.js';
import { RequestState } from '../../../request/request-state.js';
import type { HttpModule, LocationBuild } from '../../module.js';

const PLACES = ['http', 'server', 'location'] as const;

const secureLink = defineDirective({
  name: 'secure_link',
  syntax: 'secure_link text',
  contexts: PLACES,
  args: [variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'Where the hash of a link is, and behind a comma when the link ends.',
  since: '0.2.0',
  effect: 'full',
});

const secureLinkMd5 = defineDirective({
  name: 'secure_link_md5',
  syntax: 'secure_link_md5 text',
  contexts: PLACES,
  args: [variableText],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'What the hash of a link is made of, a secret among it.',
  since: '0.2.0',
  effect: 'full',
});

const secureLinkSecret = defineDirective({
  name: 'secure_link_secret',
  syntax: 'secure_link_secret word',
  contexts: PLACES,
  args: [text('word')],
  block: null,
  default: null,
  inherit: 'replace',
  isRepeatable: false,
  summary: 'The secret of links like /prefix/hash/link.',
  since: '0.2.0',
  effect: 'full',
});

export const secureLinkModule: HttpModule = {
  name: 'secure_link',
  directives: [secureLink, secureLinkMd5, secureLinkSecret],
  variables(table) {
    table.define({ name: 'secure_link', get: checkLink });
    table.define({ name: 'secure_link_expires', get: (request) => expiry.of(request) ?? null });
  },
  location(scope, build) {
    const found = settingsOf(scope, build);
    if (found !== null) settings.set(build, found);
  },
};

/** One of both ways: a hash of any text, or of the link and a secret. */
type Settings = { readonly link: RequestText; readonly hashed: RequestText } | { readonly secret: string };

const settings = new LocationState<Settings>();

/** What the link says of its end; there once $secure_link was read. */
const expiry = new RequestState<string>();

/** A secret holds further in as long as nothing of the other way is said. */
function settingsOf(scope: Scope, build: LocationBuild): Settings | null {
  let link: RequestText | null = null;
  let hashed: RequestText | null = null;
  for (let level: Scope | null = scope; level !== null; level = level.parent) {
    const [secret] = level.own(secureLinkSecret);
    const [ownLink] = level.own(secureLink);
    const [ownMd5] = level.own(secureLinkMd5);
    if (secret !== undefined && (ownLink ?? ownMd5) !== undefined) {
      const message = '"secure_link_secret" cannot be mixed with "secure_link" and "secure_link_md5"';
      if (level === scope)
        build.report(secret.node, finding('secure-link', message, 'choose one of both ways'));
      return null;
    }
    if (ownLink !== undefined) link ??= build.text(ownLink.values[0], ownLink.node.args[0]!);
    if (ownMd5 !== undefined) hashed ??= build.text(ownMd5.values[0], ownMd5.node.args[0]!);
    if (secret === undefined) continue;
    if (link === null && hashed === null) return { secret: toByteString(secret.values[0]) };
    break;
  }
  return link === null || hashed === null ? null : { link, hashed };
}

/** '1': valid; '0': it was; null: not at all. With a secret the link itself instead of '1'. */
function checkLink(request: HttpRequest): string | null {
  const found = settings.of(request);
  if (found === undefined) return null;
  return 'secret' in found ? checkPath(request.main.head.target, found.secret) : checkHash(request, found);
}

const HASH = /^([\w-]{22})(?:={0,2})$/;

function checkHash(
  request: HttpRequest,
  { link, hashed }: { readonly link: RequestText; readonly hashed: RequestText },
): string | null {
  const value = link.evaluate(request);
  const comma = value.indexOf(',');
  let end = 0;
  if (comma >= 0) {
    const ending = value.slice(comma + 1);
    end = /^\d{1,15}$/.test(ending) ? Number(ending) : 0;
    if (end === 0) return null;
    expiry.set(request, ending);
  }
  const hash = HASH.exec(comma < 0 ? value : value.slice(0, comma));
  if (hash === null || !isHashOf(Buffer.from(hash[1]!, 'base64url'), hashed.evaluate(request))) return null;
  return end > 0 && end < Math.floor(request.context.clock.wallMs() / 1000) ? '0' : '1';
}

const SECRET_PATH = /^\/[^/]*\/([0-9a-fA-F]{32})\/(.+)$/s;

function checkPath(target: string, secret: string): string | null {
  const parts = SECRET_PATH.exec(target);
  if (parts === null) return null;
  const [, hash, link] = parts;
  return isHashOf(Buffer.from(hash!, 'hex'), link! + secret) ? link! : null;
}

/** security: in constant time, so that a hash can't be found byte by byte. */
function isHashOf(hash: Buffer, content: string): boolean {
  return timingSafeEqual(hash, createHash('md5').update(content, 'latin1').digest());
}
