/*
 * `sticky learn`: servers give their clients sessions of their own, and this proxy remembers which server gave which.
 */
import { finding } from '../../../conf/diagnostics/catalogue.js';
import type { Directive, Word } from '../../../conf/syntax/ast.js';
import { timeMs } from '../../../conf/values/time.js';
import { Refusal } from '../../../conf/values/value-type.js';
import { type ZoneSize, zoneSize } from '../../../conf/values/zone.js';
import { sharedMs } from '../../../core/clock.js';
import type { HttpRequest } from '../../../request/http-request.js';
import type { Peer } from '../../../upstream/peer.js';
import { peerNumber, StickySessions } from '../../../upstream/sticky-sessions.js';
import type { Text } from '../../../variables/text.js';
import type { UpstreamBuild } from '../../module.js';
import { declareZone } from '../../shared-zones.js';
import { readVariable } from './read-variable.js';
import { firstOf, StickyAffinity } from './sticky-affinity.js';

const DEFAULT_TIMEOUT_MS = 600_000;

interface LearnRules {
  readonly create: Text<HttpRequest>[];
  readonly lookup: Text<HttpRequest>[];
  zone: ZoneSize | null;
  timeoutMs: number | null;
  /** Whether a session is learned when the head of an answer is there, not only behind its end. */
  learnsAtHead: boolean;
}

/** Reads what stands behind `sticky learn`; null, and reported, if that is wrong. */
export function readLearn(
  words: readonly Word[],
  at: Directive,
  build: UpstreamBuild,
): StickyAffinity | null {
  const rules: LearnRules = { create: [], lookup: [], zone: null, timeoutMs: null, learnsAtHead: false };
  for (const word of words) {
    const trouble = readParameter(word, rules, build);
    if (trouble === null) continue;
    build.report(word, finding('sticky', `Cannot take "${word.text}" for sticky learn`, null, trouble));
    return null;
  }
  const missing = missingParameter(rules);
  if (missing !== null) {
    const nginxText = `"sticky" directive "${missing}" parameter is not specified`;
    build.report(at, finding('sticky', `"sticky learn" needs ${missing}=`, null, nginxText));
    return null;
  }
  const zone = rules.zone!;
  if (!declareZone(build, at, 'sticky', zone.name, zone.bytes)) return null;
  const memory = build.sharedMemory('sticky', `${build.plan.name} ${zone.name}`, zone.bytes);
  const sessions = build.carried('sticky', `${build.plan.name} ${zone.name}:${zone.bytes}`, () => {
    return new StickySessions(memory, 0);
  });
  sessions.timeoutMs = rules.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new LearnedAffinity(rules, sessions);
}

function missingParameter({ create, lookup, zone }: LearnRules): string | null {
  if (lookup.length === 0) return 'lookup';
  if (create.length === 0) return 'create';
  return zone === null ? 'zone' : null;
}

/** Null, or what is wrong in nginx's words. */
function readParameter(word: Word, rules: LearnRules, build: UpstreamBuild): string | null {
  const { text } = word;
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const value = text.slice(equals + 1);
  switch (name) {
    case 'create':
    case 'lookup': {
      const nginxText = `"sticky" directive missing variable in the "${name}" parameter`;
      const variable = readVariable(word, equals + 1, build, nginxText);
      if (variable !== null) rules[name].push(variable);
      return null;
    }
    case 'zone': {
      if (rules.zone !== null) return '"sticky" directive duplicate zone';
      const zone = zoneSize.parse(value);
      if (zone instanceof Refusal) return zone.nginxText('sticky');
      if (zone.name === '') return '"sticky" directive zone name is not specified';
      rules.zone = zone;
      return null;
    }
    case 'timeout': {
      if (rules.timeoutMs !== null) return '"sticky" directive duplicate timeout';
      const ms = timeMs.parse(value);
      if (ms instanceof Refusal || ms === 0) return '"sticky" directive invalid timeout';
      rules.timeoutMs = ms;
      return null;
    }
    case 'header':
      if (equals >= 0) return `unknown parameter "${text}"`;
      rules.learnsAtHead = true;
      return null;
    default:
      return `unknown parameter "${text}"`;
  }
}

class LearnedAffinity extends StickyAffinity {
  private readonly create: readonly Text<HttpRequest>[];
  private readonly learnsAtHead: boolean;
  private readonly sessions: StickySessions;

  constructor({ create, lookup, learnsAtHead }: LearnRules, sessions: StickySessions) {
    super(lookup);
    this.create = create;
    this.learnsAtHead = learnsAtHead;
    this.sessions = sessions;
  }

  override find(subject: unknown, peers: readonly Peer[]): string | null {
    const request = subject as HttpRequest;
    const { id } = this.askedBy(request);
    if (id === '') return null;
    const number = this.sessions.find(id, sharedMs(request.context.clock));
    if (number === 0) return null;
    return peers.find((peer) => peerNumber(peer.id) === number)?.id ?? null;
  }

  override onHeader(subject: unknown, peer: Peer): void {
    if (this.learnsAtHead) this.learn(subject as HttpRequest, peer);
  }

  override onServed(subject: unknown, peer: Peer): void {
    if (!this.learnsAtHead) this.learn(subject as HttpRequest, peer);
  }

  /** An answer that names a session begins one; another prolongs that of the request. */
  private learn(request: HttpRequest, peer: Peer): void {
    const created = firstOf(this.create, request);
    const session = created === '' ? this.askedBy(request).id : created;
    if (session === '') return;
    this.sessions.learn(session, peerNumber(peer.id), created !== '', sharedMs(request.context.clock));
  }
}
