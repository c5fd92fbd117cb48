/*
 * From a request that has been served to its explanation.
 */
import { formatAddress } from '../net/address.js';
import type { HttpRequest } from '../request/http-request.js';
import {
  type Answer,
  type AskedUpstream,
  EXPLANATION_VERSION,
  type Explanation,
  type Place,
} from './explanation.js';
import type { ChosenListener } from './listener-choice.js';
import { type Question, toPeople } from './question.js';
import type { Scene, ServedClient } from './scene.js';
import { describeServer, listenPlace } from './server-choice.js';
import { type OpenStep, placeOf } from './trace.js';
import type { Watched } from './watched.js';

/** All that is known when it is over. */
export interface Served {
  readonly question: Question;
  /** What came in. */
  readonly head: string;
  readonly client: ServedClient;
  readonly listened: ChosenListener;
  readonly scene: Scene;
}

export function describe(served: Served): Explanation {
  const { question, head, client, listened, scene } = served;
  const { watched } = scene;
  const { point } = listened;
  const request = client.request!;
  const scope = watched.servers.get(request.server)!;
  const { steps } = watched.trace;
  const matches = steps.filter(isServerName);
  const upstream = describeUpstream(served, request);
  return {
    version: EXPLANATION_VERSION,
    request: {
      method: question.method,
      url: question.url,
      from: question.from,
      head: linesOf(head),
      bodyBytes: Math.max(0, question.bodyBytes),
    },
    listen: {
      address: formatAddress(point.address),
      place: listenPlace(scope, point),
      others: listened.others.map(formatAddress),
    },
    server: describeServer(request, point, scope, matches),
    steps,
    location: describeLocation(request, watched),
    upstream,
    answer: describeAnswer(client, request, scene, upstream),
  };
}

function isServerName({ kind, places }: OpenStep): boolean {
  return kind === 'match' && places[0]?.directive.startsWith('server_name ') === true;
}

function linesOf(head: string): string[] {
  return toPeople(head.trimEnd()).split('\r\n');
}

function describeLocation({ location }: HttpRequest, watched: Watched): Explanation['location'] {
  const node = watched.scopes.get(location)?.opener?.node;
  return node === undefined
    ? null
    : { kind: location.kind, path: toPeople(location.path), place: placeOf(node) };
}

/** The last peer that was asked for the client's request itself. */
function describeUpstream({ scene }: Served, request: HttpRequest): AskedUpstream | null {
  const found = scene.asked.findLast((one) => one.request === null || one.request === request);
  if (found === undefined) return null;
  const { peer, head } = found.asked;
  const { name, size, balancer, place, peerPlace } = scene.groupOf(peer);
  return {
    group: toPeople(name === '' ? (scene.read('proxy_host', request) ?? '') : name),
    groupPlace: place,
    balancer,
    peer: peer?.name ?? '',
    peerPlace,
    peerCount: size,
    head: linesOf(head),
  };
}

const FILE_MODULES: ReadonlySet<string | undefined> = new Set(['static', 'gzip_static']);

function describeAnswer(
  { head }: ServedClient,
  request: HttpRequest,
  scene: Scene,
  upstream: AskedUpstream | null,
): Answer {
  const { watched } = scene;
  const answering = watched.trace.steps.findLast(
    ({ kind, text }) => kind === 'handler' && text === 'answers',
  );
  const isFile = FILE_MODULES.has(answering?.module) && request.status < 300;
  const isPretended = upstream !== null && answering?.module === 'proxy';
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0),
    head: head === '' ? [] : linesOf(head),
    file: isFile ? toPeople(scene.read('request_filename', request) ?? '') : null,
    isPretended,
    settings: settingsOf(request, watched, answering),
  };
}

/** What of proxy_pass's kin is about answers. */
const ABOUT_ANSWERS =
  /^proxy_(?:cache|no_cache|hide_header|pass_header|redirect|cookie|intercept_errors|buffering|ignore_headers|force_ranges|limit_rate|store)/;

function settingsOf({ location }: HttpRequest, watched: Watched, answering: OpenStep | undefined): Place[] {
  const scope = watched.scopes.get(location);
  if (scope === undefined) return [];
  const places = [...(watched.filters.get(location) ?? [])].flatMap((module) =>
    watched.inForce(module, scope),
  );
  const answeredBy = watched.modules.find(({ name }) => name === answering?.module);
  if (answeredBy?.name === 'proxy') {
    places.push(...watched.inForce(answeredBy, scope, ({ name }) => ABOUT_ANSWERS.test(name)));
  }
  return places;
}
