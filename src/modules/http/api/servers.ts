/*
 * The servers of a group as the API tells and changes them.
 */
import { formatMs } from '../../../core/duration.js';
import { logErrorOf } from '../../../request/error-line.js';
import type { ServerEntry } from '../../../upstream/server-entry.js';
import { ServerListError, type ServerTrouble } from '../../../upstream/server-list.js';
import { ApiError } from './api-error.js';
import type { ApiAnswer, ApiCall, Route } from './route.js';
import { readNewServer, readServerChange } from './server-fields.js';
import { groupOf } from './upstreams.js';

const LIST_PATH = '/http/upstreams/{httpUpstreamName}/servers';

export const SERVER_ROUTES: readonly Route[] = [
  { path: LIST_PATH, since: 1, get: listServers, post: (call) => tried(() => addServer(call)) },
  {
    path: `${LIST_PATH}/{httpUpstreamServerId}`,
    since: 1,
    get: (call) => tried(() => describe(groupOf(call).servers.find(idOf(call)))),
    patch: (call) => tried(() => changeServer(call)),
    delete: (call) => tried(() => removeServer(call)),
  },
];

function listServers(call: ApiCall): unknown {
  return groupOf(call).servers.list().map(describe);
}

function addServer(call: ApiCall): ApiAnswer {
  const { servers } = groupOf(call);
  const entry = servers.add(readNewServer(call.body));
  note(call, `server "${entry.server}" was added`);
  return { status: 201, body: describe(entry), made: String(entry.id) };
}

function changeServer(call: ApiCall): ApiAnswer {
  const { servers } = groupOf(call);
  const id = idOf(call);
  const entry = servers.change(id, readServerChange(call.body, servers.find(id)));
  note(call, `server "${entry.server}" was changed`);
  return { status: 200, body: describe(entry) };
}

function removeServer(call: ApiCall): ApiAnswer {
  const { servers } = groupOf(call);
  const { id, server } = servers.find(idOf(call));
  servers.remove(id);
  note(call, `server "${server}" was removed`);
  return { status: 200, body: listServers(call) };
}

/** Who changes what is told in the error log. */
function note(call: ApiCall, what: string): void {
  logErrorOf(call.request, 'notice', `api: in upstream "${call.names[0]}" ${what}`);
}

function idOf({ names }: ApiCall): number {
  const text = names[1]!;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ApiError(400, 'UpstreamBadServerId', `invalid server ID "${text}": it is a number`);
}

function describe(entry: ServerEntry): unknown {
  const { id, server, service, parent, named } = entry;
  return {
    id,
    server,
    ...(service ? { service } : {}),
    weight: entry.weight,
    max_conns: entry.maxConns,
    max_fails: entry.maxFails,
    fail_timeout: formatMs(entry.failTimeoutMs),
    slow_start: formatMs(entry.slowStartMs),
    route: entry.route,
    backup: entry.isBackup,
    down: entry.isDown,
    ...(entry.isDraining ? { drain: true } : {}),
    ...(parent === null ? {} : { parent: String(parent), host: named.replace(/:\d+$/, '') }),
  };
}

/** What the API calls it when the list can't do something. */
const ERRORS: Readonly<Record<ServerTrouble, readonly [status: number, code: string]>> = {
  'bad-address': [400, 'UpstreamBadAddress'],
  'bad-slow-start': [400, 'UpstreamBadSlowStart'],
  exists: [409, 'EntryExists'],
  'fixed-address': [400, 'UpstreamServerImmutable'],
  'fixed-weight': [400, 'UpstreamServerWeightImmutable'],
  'no-backup': [400, 'UpstreamNoBackup'],
  'no-resolver': [400, 'UpstreamConfNoResolver'],
  'no-room': [400, 'UpstreamOutOfMemory'],
  'not-removable': [400, 'UpstreamServerImmutable'],
  'not-saved': [500, 'StateNotSaved'],
  unknown: [404, 'UpstreamServerNotFound'],
};

function tried<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ServerListError)) throw error;
    const [status, code] = ERRORS[error.trouble];
    throw new ApiError(status, code, error.message);
  }
}
