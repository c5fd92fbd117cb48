/*
 * Requests that failed and those that were slow, each with where its time went.
 */
import { useState } from 'preact/hooks';
import type { RecentRequest } from '../src/modules/http/dashboard/recent-request.js';
import { Choice } from './choice.js';
import { formatBytes, formatMs, formatTime } from './format.js';
import type { View } from './view.js';
import { type Line, linesOf, type Part } from './waterfall.js';

const LISTS = [
  { id: 'failed', name: 'Failed', empty: 'No request has failed.' },
  { id: 'slow', name: 'Slowest of the last minutes', empty: 'There were no requests.' },
] as const;

const SHOWN = 30;

export function Requests({ view }: { view: View }) {
  const [list, setList] = useState<'failed' | 'slow'>('failed');
  const [open, setOpen] = useState('');
  // Who reads one shouldn't have it move away.
  const [held, setHeld] = useState<View | null>(null);
  const shown = held ?? view;
  const toggle = (key: string) => {
    const isOpening = open !== key;
    setOpen(isOpening ? key : '');
    setHeld(isOpening ? shown : null);
  };
  const choose = (value: 'failed' | 'slow') => {
    setList(value);
    setOpen('');
    setHeld(null);
  };
  const { empty } = LISTS.find(({ id }) => id === list)!;
  const options = LISTS.map(({ id, name }) => ({
    value: id,
    label: id === 'slow' ? name : [name, <b key="count">{view.failed.length}</b>],
  }));
  const requests = shown[list].slice(0, SHOWN);
  const longestMs = Math.max(1, ...requests.map(({ durationMs }) => durationMs));
  return (
    <section class="requests" aria-labelledby="requests-name">
      <header>
        <h2 id="requests-name">Requests</h2>
        <Choice name="Which requests" options={options} chosen={list} choose={choose} />
      </header>
      {held !== null && <p class="held">The list waits while a request is open.</p>}
      {requests.length === 0 && <p class="empty">{empty}</p>}
      <ul class="card">
        {requests.map((request) => {
          const key = keyOf(request);
          return (
            <Request
              key={key}
              request={request}
              longestMs={longestMs}
              isOpen={open === key}
              toggle={() => toggle(key)}
            />
          );
        })}
      </ul>
    </section>
  );
}

function keyOf({ atMs, durationMs, method, uri, client }: RecentRequest): string {
  return `${atMs} ${durationMs} ${method} ${uri} ${client}`;
}

interface RequestProps {
  readonly request: RecentRequest;
  readonly longestMs: number;
  readonly isOpen: boolean;
  readonly toggle: () => void;
}

function Request({ request, longestMs, isOpen, toggle }: RequestProps) {
  const { status, method, uri, durationMs, atMs, tries } = request;
  const lines = linesOf(request);
  return (
    <li class="request">
      <button type="button" class="request-head" aria-expanded={isOpen} onClick={toggle}>
        <b class={`status c${Math.floor(status / 100)}`}>{status === 0 ? '–' : status}</b>
        <span class="what">
          <b>{method}</b> {uri}
        </span>
        <span class="glance" aria-hidden="true">
          <span style={{ width: `${Math.max(1, (100 * durationMs) / longestMs)}%` }}>
            <Bar parts={lines.flatMap(({ parts }) => parts)} wholeMs={durationMs} />
          </span>
        </span>
        <span class="took">{formatMs(durationMs)}</span>
        <span class="when">
          <time>{formatTime(atMs)}</time>
          {tries.length > 1 && ` · ${tries.length + request.otherTries} tries`}
        </span>
      </button>
      {isOpen && <Details request={request} lines={lines} />}
    </li>
  );
}

function Details({ request, lines }: { request: RecentRequest; lines: readonly Line[] }) {
  const { host, client, server, location, bytes, durationMs, otherTries } = request;
  const facts: [string, string][] = [
    ['Client', client],
    ['Host', host],
    ['Server', server || '–'],
    ['Location', location],
    ['Sent', formatBytes(bytes)],
  ];
  const kinds = [...new Set(lines.flatMap(({ parts }) => parts.map(({ kind }) => kind)))];
  return (
    <div class="details">
      <ol class="waterfall" aria-label="Where the time went">
        {lines.map((line, i) => (
          <li key={`${i} ${line.label}`} class={line.isFailed ? 'line bad' : 'line'}>
            <span class="label">{line.label}</span>
            <span class="track">
              <Bar parts={line.parts} wholeMs={durationMs} />
            </span>
            <span class="outcome">{line.outcome}</span>
            <span class="parts">{line.parts.map(describePart).join(' · ')}</span>
          </li>
        ))}
      </ol>
      {otherTries > 0 && <p>And {otherTries} more tries.</p>}
      <ul class="legend" aria-hidden="true">
        {kinds.map((kind) => (
          <li key={kind}>
            <i class={classOf(kind)} />
            {kind}
          </li>
        ))}
      </ul>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function describePart({ kind, fromMs, toMs }: Part): string {
  return `${kind} ${formatMs(toMs - fromMs)}`;
}

function Bar({ parts, wholeMs }: { parts: readonly Part[]; wholeMs: number }) {
  const percent = (ms: number) => `${wholeMs > 0 ? (100 * ms) / wholeMs : 0}%`;
  return (
    <span class="parts-bar" aria-hidden="true">
      {parts.map(({ kind, fromMs, toMs }, i) => (
        <i
          key={`${i} ${kind}`}
          class={classOf(kind)}
          style={{ left: percent(fromMs), width: percent(toMs - fromMs) }}
        />
      ))}
    </span>
  );
}

function classOf(kind: Part['kind']): string {
  return `part ${kind.replace(' ', '-')}`;
}
