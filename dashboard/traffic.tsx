/*
 * Requests, how long they take, and connections: the number of now, and the last minutes as a chart.
 */
import type { ComponentChildren } from 'preact';
import { Chart, type ChartLine } from './chart.js';
import { formatCount, formatMs, formatRate, formatShare } from './format.js';
import { addUp, lastOf, percentile, rate, type Second, sum } from './series.js';
import type { View } from './view.js';

/** Numbers of one second jump about. */
const NOW_MS = 3000;
const RECENTLY_MS = 10_000;
const LEAST_MS = 60_000;

/** What an answer's class is called and drawn with; its place in Second.answers. */
const CLASSES = [
  { label: '2xx', place: 2, color: '--ok' },
  { label: '3xx', place: 3, color: '--moved' },
  { label: '4xx', place: 4, color: '--refused' },
  { label: '5xx', place: 5, color: '--bad' },
  { label: 'other', place: 1, color: '--other' },
  { label: 'no answer', place: 0, color: '--none' },
] as const;

const SHARES = [
  { label: 'p50', share: 0.5, color: '--p50' },
  { label: 'p95', share: 0.95, color: '--p95' },
  { label: 'p99', share: 0.99, color: '--p99' },
] as const;

export interface TrafficProps {
  readonly view: View;
  readonly windowMs: number;
  readonly theme: string;
}

export function Traffic({ view, windowMs, theme }: TrafficProps) {
  const { wallMs } = view.snapshot;
  const seconds = lastOf(view.seconds, wallMs, windowMs);
  // A server that has just started has little to show: that little needn't be small.
  const firstMs = Math.min(seconds[0]?.atMs ?? wallMs, wallMs - LEAST_MS);
  const common = {
    times: seconds.map(({ atMs }) => atMs / 1000),
    from: Math.max(firstMs, wallMs - windowMs) / 1000,
    to: wallMs / 1000,
    theme,
  };
  const props = { view, seconds, common };
  return (
    <section class="traffic" aria-label="Traffic">
      <Requests {...props} />
      <Latency {...props} />
      <Connections {...props} />
    </section>
  );
}

interface CardProps {
  readonly view: View;
  readonly seconds: readonly Second[];
  readonly common: { times: number[]; from: number; to: number; theme: string };
}

function Requests({ view, seconds, common }: CardProps) {
  const now = lastOf(view.seconds, view.snapshot.wallMs, NOW_MS);
  const counts = addUp(now.map(({ answers }) => answers));
  const perSecond = rate(sum(counts), { lengthMs: sum(now.map(({ lengthMs }) => lengthMs)) });
  const totals = addUp(seconds.map(({ answers }) => answers));
  const all = sum(totals);
  const shown = CLASSES.filter(({ place }) => place > 1 || (totals[place] ?? 0) > 0);
  const mix = shown.map((each) => ({ ...each, value: formatShare(totals[each.place] ?? 0, all) }));
  return (
    <Card name="Requests" id="requests-per-second" value={formatRate(perSecond)} unit="per second">
      <Chart
        {...common}
        isFilled
        lines={stacked(seconds, shown)}
        format={formatRate}
        summary={`Requests a second by status; now ${formatRate(perSecond)}`}
      />
      <Legend items={mix} />
    </Card>
  );
}

/** Each with all that come behind it in the list, so that the first is the largest. */
function stacked(seconds: readonly Second[], classes: readonly (typeof CLASSES)[number][]): ChartLine[] {
  return classes.map(({ label, color }, i) => ({
    label,
    color,
    values: seconds.map((second) =>
      rate(sum(classes.slice(i).map(({ place }) => second.answers[place] ?? 0)), second),
    ),
  }));
}

function Latency({ view, seconds, common }: CardProps) {
  const { wallMs, bounds } = view.snapshot;
  const recently = addUp(lastOf(view.seconds, wallMs, RECENTLY_MS).map(({ durations }) => durations));
  const items = SHARES.map((each) => ({
    ...each,
    value: formatMs(percentile(recently, bounds, each.share)),
  }));
  const lines = SHARES.map(({ label, share, color }) => ({
    label,
    color,
    values: seconds.map(({ durations }) => percentile(durations, bounds, share)),
  }));
  return (
    <Card name="Latency" id="latency" value={items[1]!.value} unit="for 95 of 100 requests">
      <Chart
        {...common}
        lines={lines.reverse()}
        format={formatMs}
        summary={`Latency: ${items.map(({ label, value }) => `${label} ${value}`).join(', ')}`}
      />
      <Legend items={items} />
    </Card>
  );
}

function Connections({ view, seconds, common }: CardProps) {
  const last = view.seconds.at(-1);
  const kinds = [
    { label: 'waiting', color: '--waiting', of: (each: Second) => each.waiting },
    { label: 'writing', color: '--writing', of: (each: Second) => each.writing },
    { label: 'reading', color: '--reading', of: (each: Second) => each.reading },
  ];
  const items = kinds.map((kind) => ({
    ...kind,
    value: formatCount(last === undefined ? 0 : kind.of(last)),
  }));
  const active = last === undefined ? 0 : last.reading + last.writing + last.waiting;
  const lines = kinds.map(({ label, color }, i) => ({
    label,
    color,
    values: seconds.map((second) => sum(kinds.slice(i).map(({ of }) => of(second)))),
  }));
  return (
    <Card name="Connections" id="connections" value={formatCount(active)} unit="open">
      <Chart
        {...common}
        isFilled
        lines={lines}
        format={formatCount}
        summary={`Client connections: ${items.map(({ label, value }) => `${value} ${label}`).join(', ')}`}
      />
      <Legend items={items} />
    </Card>
  );
}

function Card(props: { name: string; id: string; value: string; unit: string; children: ComponentChildren }) {
  const { name, id, value, unit, children } = props;
  return (
    <article class="card" aria-labelledby={`${id}-name`}>
      <h2 id={`${id}-name`}>{name}</h2>
      <p class="headline">
        <strong id={id}>{value}</strong> {unit}
      </p>
      {children}
    </article>
  );
}

function Legend({ items }: { items: readonly { label: string; color: string; value: string }[] }) {
  return (
    <ul class="legend">
      {items.map(({ label, color, value }) => (
        <li key={label}>
          <i style={{ background: `var(${color})` }} aria-hidden="true" />
          {label} <b>{value}</b>
        </li>
      ))}
    </ul>
  );
}
