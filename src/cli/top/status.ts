/*
 * What a proxy's status API says, as far as `sluice top` shows it, and how it is asked for.
 */
import { UsageError } from '../usage-error.js';

/** One server of a group. */
export interface PeerStatus {
  readonly id: number;
  readonly server: string;
  readonly state: string;
  readonly active: number;
  readonly requests: number;
  readonly fails: number;
  readonly responses: { readonly '5xx': number };
  readonly backup: boolean;
  readonly weight: number;
  readonly response_time?: number;
}

/** Counters of a server zone. */
export interface ZoneStatus {
  readonly processing: number;
  readonly requests: number;
  readonly responses: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;
  readonly received: number;
  readonly sent: number;
}

/** All of it at one moment. */
export interface Status {
  readonly atMs: number;
  readonly nginx: { readonly build: string; readonly generation: number; readonly load_timestamp: string };
  readonly connections: { readonly accepted: number; readonly active: number; readonly idle: number };
  readonly requests: { readonly total: number; readonly current: number };
  readonly zones: Readonly<Record<string, ZoneStatus>>;
  readonly upstreams: Readonly<Record<string, { readonly peers: readonly PeerStatus[] }>>;
}

/** A version of the API that has all that is shown. */
const VERSION = 9;

const TIMEOUT_MS = 5000;

const HINT = 'name a location with "api;" in it, such as http://127.0.0.1:8080/api';

/** There is something, but no API. */
class NoApi extends UsageError {}

/**
 * Where the API is that a user means by `url`: there, or below it in `api/`, which is where a dashboard has its own.
 * Throws a UsageError that says what is wrong.
 */
export async function findApi(url: string): Promise<string> {
  const given = url.replace(/\/+$/, '').replace(/\/\d$/, '');
  const base = given.includes('://') ? given : `http://${given}`;
  if (!/^https?:\/\/[^/]/.test(base) || !URL.canParse(base))
    throw new UsageError(`Cannot use "${url}": write a URL, such as http://127.0.0.1:8080/api`);
  try {
    await fetchStatus(base);
    return base;
  } catch (error) {
    if (!(error instanceof NoApi) || base.endsWith('/api')) throw error;
    try {
      await fetchStatus(`${base}/api`);
      return `${base}/api`;
    } catch {
      throw error;
    }
  }
}

/** Asks the API below `url`. Throws a UsageError that says what is wrong there. */
export async function fetchStatus(url: string): Promise<Status> {
  const ask = (path: string) => fetchPart(`${url}/${VERSION}${path}`);
  const [nginx, connections, requests, upstreams, zones] = await Promise.all([
    ask('/nginx'),
    ask('/connections'),
    ask('/http/requests'),
    ask('/http/upstreams'),
    ask('/http/server_zones'),
  ]);
  const status = { atMs: performance.now(), nginx, connections, requests, upstreams, zones } as Status;
  if (!isStatus(status)) throw new NoApi(`Cannot use "${url}": what answers there is no status API; ${HINT}`);
  return status;
}

/** Whether it is what an API answers, as far as others might answer with JSON too. */
function isStatus({ nginx, connections, requests }: Status): boolean {
  return (
    typeof nginx?.build === 'string' &&
    typeof nginx.load_timestamp === 'string' &&
    typeof connections?.idle === 'number' &&
    typeof requests?.total === 'number'
  );
}

async function fetchPart(url: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    const why = cause?.code ?? cause?.message ?? message;
    throw new UsageError(`Cannot ask "${url}": ${why}; is the proxy running there?`);
  }
  if (response.status !== 200) throw new NoApi(`Cannot use "${url}": status ${response.status}; ${HINT}`);
  try {
    return await response.json();
  } catch {
    throw new NoApi(`Cannot use "${url}": the answer is no JSON; ${HINT}`);
  }
}
