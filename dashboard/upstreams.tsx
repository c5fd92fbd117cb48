/*
 * Groups and their servers as they are, and what may be done about a server.
 */
import { useEffect, useState } from 'preact/hooks';
import type { PeerSnapshot, UpstreamSnapshot } from '../src/modules/http/dashboard/snapshot.js';
import { changeServer } from './changes.js';
import { formatCount, formatRate, formatTime } from './format.js';
import { keyOf, type PeerChange, type View } from './view.js';

/** What a state is called, why, and how it looks: shape and word say the same as the colour. */
const STATES: Readonly<Record<string, { word: string; mark: string; tone: string; why: string }>> = {
  up: { word: 'up', mark: '✓', tone: 'good', why: 'gets requests' },
  draining: { word: 'draining', mark: '↓', tone: 'calm', why: 'gets only requests of sessions it has' },
  checking: {
    word: 'checking',
    mark: '…',
    tone: 'calm',
    why: 'gets requests once a health check has passed',
  },
  unavailable: {
    word: 'unavailable',
    mark: '✕',
    tone: 'bad',
    why: 'requests failed: tried again after fail_timeout',
  },
  unhealthy: { word: 'unhealthy', mark: '✕', tone: 'bad', why: 'its health check fails' },
  down: { word: 'down', mark: '–', tone: 'off', why: 'taken out by the configuration or by hand' },
};

export interface UpstreamsProps {
  readonly view: View;
  /** Has the page ask at once. */
  readonly refresh: () => void;
}

export function Upstreams({ view, refresh }: UpstreamsProps) {
  const { upstreams } = view.snapshot;
  const [latest] = view.changes;
  return (
    <section class="upstreams" aria-labelledby="upstreams-name">
      <h2 id="upstreams-name">Upstreams</h2>
      {upstreams.length === 0 && <p class="empty">The configuration has none.</p>}
      <div class="groups">
        {upstreams.map((upstream) => (
          <Group key={upstream.name} upstream={upstream} view={view} refresh={refresh} />
        ))}
      </div>
      <p class="hidden" role="status">
        {latest === undefined ? '' : describeChange(latest)}
      </p>
      {view.changes.length > 0 && (
        <details class="changes">
          <summary>
            {view.changes.length === 1 ? '1 change' : `${view.changes.length} changes`} since this page was
            opened
          </summary>
          <ol>
            {view.changes.map((change) => (
              <li key={`${change.atMs} ${keyOf(change.upstream, change.address)}`}>
                <time>{formatTime(change.atMs)}</time> {describeChange(change)}
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}

function describeChange({ upstream, address, from, to }: PeerChange): string {
  return `${address} of ${upstream}: ${from} → ${to}`;
}

function Group({ upstream, view, refresh }: UpstreamsProps & { upstream: UpstreamSnapshot }) {
  const { name, peers, idle, queued } = upstream;
  const upCount = peers.filter(({ state }) => state === 'up').length;
  const most = Math.max(1, ...peers.map(({ address }) => view.rates.get(keyOf(name, address)) ?? 0));
  return (
    <article class="card group" aria-label={`Upstream ${name}`}>
      <header>
        <h3>{name}</h3>
        <span class={upCount === peers.length ? 'count good' : upCount === 0 ? 'count bad' : 'count warn'}>
          {upCount} of {peers.length} up
        </span>
        <small>
          {formatCount(idle)} kept open{queued === null ? '' : `, ${formatCount(queued)} waiting`}
        </small>
      </header>
      <ul>
        {peers.map((peer) => (
          <Peer
            key={peer.id ?? peer.address}
            upstream={name}
            peer={peer}
            rate={view.rates.get(keyOf(name, peer.address)) ?? 0}
            most={most}
            mayChange={view.snapshot.mayWrite && peer.id !== null}
            refresh={refresh}
          />
        ))}
      </ul>
    </article>
  );
}

interface PeerProps {
  readonly upstream: string;
  readonly peer: PeerSnapshot;
  readonly rate: number;
  /** The largest rate of the group. */
  readonly most: number;
  readonly mayChange: boolean;
  readonly refresh: () => void;
}

function Peer({ upstream, peer, rate, most, mayChange, refresh }: PeerProps) {
  const { address, server, state, isBackup, weight, active, maxConns, fails, maxFails } = peer;
  const { word, mark, tone, why } = STATES[state] ?? { word: state, mark: '?', tone: 'calm', why: '' };
  const notes = [
    ...(server === address ? [] : [server]),
    ...(isBackup ? ['backup'] : []),
    ...(weight === 1 ? [] : [`weight ${weight}`]),
    ...(fails === 0 ? [] : [describeFailures(fails, maxFails)]),
  ];
  return (
    <li class={`peer ${tone}`} data-state={state}>
      <span class="state" title={why}>
        <i aria-hidden="true">{mark}</i> {word}
      </span>
      <span class="address">
        {address}
        {notes.length > 0 && <small>{notes.join(', ')}</small>}
      </span>
      <span class="load" title="Requests a second">
        <span class="bar" aria-hidden="true">
          <i style={{ width: `${(100 * rate) / most}%` }} />
        </span>
        {formatRate(rate)}/s
      </span>
      <span class="active" title="Requests under way">
        {formatCount(active)}
        {maxConns > 0 ? `/${formatCount(maxConns)}` : ''} active
      </span>
      {mayChange && <Buttons upstream={upstream} peer={peer} refresh={refresh} />}
    </li>
  );
}

/** How many make it unavailable is told as long as they are less. */
function describeFailures(fails: number, maxFails: number): string {
  if (fails < maxFails) return `${fails} of ${maxFails} failures`;
  return fails === 1 ? '1 failure' : `${fails} failures`;
}

function Buttons({ upstream, peer, refresh }: Pick<PeerProps, 'upstream' | 'peer' | 'refresh'>) {
  const { id, address, state } = peer;
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState('');
  useEffect(() => setTrouble(''), [state]);
  const isOff = state === 'draining' || state === 'down';
  const change = async () => {
    if (isBusy) return;
    setBusy(true);
    setTrouble(await changeServer(upstream, id!, isOff ? { drain: false, down: false } : { drain: true }));
    setBusy(false);
    refresh();
  };
  return (
    <>
      <button
        type="button"
        aria-label={`${isOff ? 'Up' : 'Drain'} ${address}`}
        aria-busy={isBusy}
        onClick={change}
      >
        {isOff ? 'Up' : 'Drain'}
      </button>
      {trouble !== '' && (
        <span class="trouble" role="alert">
          {trouble}
        </span>
      )}
    </>
  );
}
