/*
 * One picture of `sluice top`: two moments of a proxy as lines for a terminal.
 */
import type { PeerStatus, Status, ZoneStatus } from './status.js';

export interface FrameOptions {
  /** Of the terminal, in characters; lines are cut there. */
  readonly width: number;
  readonly height: number;
  readonly hasColours: boolean;
}

type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

/** What states are worth a colour. */
const STATE_COLOURS: Readonly<Record<string, Colour>> = {
  up: 'green',
  draining: 'yellow',
  checking: 'yellow',
  down: 'dim',
  unavail: 'red',
  unhealthy: 'red',
};

/** The lines. `before` is an earlier moment, from which rates are told; null at first. */
export function frame(now: Status, before: Status | null, options: FrameOptions): string[] {
  const paint = painter(options.hasColours);
  const lines = [header(now, before, paint), '', ...zoneLines(now, before, paint, options.width)];
  const peers = layOut(PEER_COLUMNS, options.width);
  for (const [name, group] of Object.entries(now.upstreams)) {
    lines.push('', paint(row(peers, `upstream ${name}`, PEER_COLUMNS), 'bold'));
    for (const peer of group.peers) {
      const then = sameAs(peer, before?.upstreams[name]?.peers);
      lines.push(peerLine(peers, peer, then, seconds(now, before), paint));
    }
  }
  const shown = lines.map((line) => cut(line, options.width));
  const room = options.height - 1;
  if (shown.length <= room) return shown;
  return [
    ...shown.slice(0, Math.max(0, room - 1)),
    paint(`... ${shown.length - room + 1} more lines`, 'dim'),
  ];
}

/** A text in as many lines of a terminal as it takes. */
export function fold(text: string, width: number): string[] {
  const count = Math.ceil(text.length / width);
  return Array.from({ length: count }, (_, line) => text.slice(line * width, (line + 1) * width));
}

function header(now: Status, before: Status | null, paint: Painter): string {
  const { connections, requests, nginx } = now;
  const rate = perSecond(requests.total, before?.requests.total, seconds(now, before));
  const parts = [
    paint(nginx.build, 'bold'),
    `${rate} requests/s`,
    `${requests.current} under way`,
    `${connections.active + connections.idle} connections (${connections.idle} idle)`,
    `configuration ${nginx.generation} of ${nginx.load_timestamp.slice(0, 19).replace('T', ' ')}`,
  ];
  return parts.join('  ');
}

const ZONE_COLUMNS = ['req/s', '2xx', '3xx', '4xx', '5xx', 'in/s', 'out/s', 'now'] as const;
const PEER_COLUMNS = ['req/s', 'active', 'fails', '5xx', 'ms', 'weight', 'state'] as const;

/** Where there is no room for all columns, these go, from the left. */
const FIRST_TO_GO = [
  'in/s',
  'out/s',
  '3xx',
  'weight',
  '2xx',
  'now',
  'ms',
  'active',
  '4xx',
  'fails',
  '5xx',
  'req/s',
];

function zoneLines(now: Status, before: Status | null, paint: Painter, width: number): string[] {
  const layout = layOut(ZONE_COLUMNS, width);
  const zones = Object.entries(now.zones);
  if (zones.length === 0) return [paint('no status_zone in any server', 'dim')];
  const title = paint(row(layout, 'server', ZONE_COLUMNS), 'bold');
  return [
    title,
    ...zones.map(([name, zone]) =>
      zoneLine(layout, name, zone, before?.zones[name] ?? null, seconds(now, before), paint),
    ),
  ];
}

function zoneLine(
  layout: Layout,
  name: string,
  zone: ZoneStatus,
  before: ZoneStatus | null,
  secondsPast: number,
  paint: Painter,
): string {
  const rate = (now: number, then: number | undefined) => perSecond(now, then, secondsPast);
  const { responses } = zone;
  const failures = rate(responses['5xx'], before?.responses['5xx']);
  const values = [
    rate(zone.requests, before?.requests),
    rate(responses['2xx'], before?.responses['2xx']),
    rate(responses['3xx'], before?.responses['3xx']),
    rate(responses['4xx'], before?.responses['4xx']),
    failures,
    bytes(rateOf(zone.received, before?.received, secondsPast)),
    bytes(rateOf(zone.sent, before?.sent, secondsPast)),
    String(zone.processing),
  ];
  const line = row(layout, name, values);
  return failures === '0' || failures === '-' ? line : paint(line, 'red');
}

/** That server as it was, wherever it stood; null for one that is new. */
function sameAs({ id, server }: PeerStatus, before: readonly PeerStatus[] = []): PeerStatus | null {
  return before.find((then) => then.id === id && then.server === server) ?? null;
}

function peerLine(
  layout: Layout,
  peer: PeerStatus,
  before: PeerStatus | null,
  secondsPast: number,
  paint: Painter,
): string {
  const values = [
    perSecond(peer.requests, before?.requests, secondsPast),
    String(peer.active),
    String(peer.fails),
    perSecond(peer.responses['5xx'], before?.responses['5xx'], secondsPast),
    peer.response_time === undefined ? '-' : String(peer.response_time),
    peer.backup ? `${peer.weight} backup` : String(peer.weight),
  ];
  const state = paint(peer.state.padStart(VALUE_WIDTH), STATE_COLOURS[peer.state] ?? 'bold');
  return row(layout, `  ${peer.server}`, values) + state;
}

const NAME_WIDTH = 30;
const LEAST_NAME_WIDTH = 18;
const VALUE_WIDTH = 10;

/** Which columns of a table there is room for. */
interface Layout {
  readonly nameWidth: number;
  readonly isShown: readonly boolean[];
}

function layOut(columns: readonly string[], width: number): Layout {
  const room = Math.max(1, Math.floor((width - LEAST_NAME_WIDTH) / VALUE_WIDTH));
  const going = FIRST_TO_GO.filter((name) => columns.includes(name)).slice(
    0,
    Math.max(0, columns.length - room),
  );
  const left = width - (columns.length - going.length) * VALUE_WIDTH;
  return {
    nameWidth: Math.min(NAME_WIDTH, Math.max(LEAST_NAME_WIDTH, left)),
    isShown: columns.map((name) => !going.includes(name)),
  };
}

/** @param values in the order of the columns; the last may be left out */
function row({ nameWidth, isShown }: Layout, text: string, values: readonly string[]): string {
  // security: what is asked may be somebody else's, and a terminal obeys such characters.
  const name = text.replace(/[^ -~\u00a0-\uffff]/g, '?');
  const shown = name.length > nameWidth ? `${name.slice(0, nameWidth - 1)}…` : name.padEnd(nameWidth);
  const cells = values.filter((_, i) => isShown[i]);
  return shown + cells.map((value) => value.padStart(VALUE_WIDTH)).join('');
}

function seconds(now: Status, before: Status | null): number {
  return before === null ? 0 : (now.atMs - before.atMs) / 1000;
}

/** NaN where nothing was known before, or the counters began anew. */
function rateOf(now: number, before: number | undefined, secondsPast: number): number {
  if (before === undefined || secondsPast <= 0 || now < before) return Number.NaN;
  return (now - before) / secondsPast;
}

function perSecond(now: number, before: number | undefined, secondsPast: number): string {
  const rate = rateOf(now, before, secondsPast);
  if (Number.isNaN(rate)) return '-';
  return rate > 0 && rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}

const UNITS = ['B', 'kB', 'MB', 'GB'];

function bytes(count: number): string {
  if (Number.isNaN(count)) return '-';
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

type Painter = (text: string, colour: Colour) => string;

function painter(hasColours: boolean): Painter {
  return hasColours ? (text, colour) => `${ESCAPE}[${CODES[colour]}m${text}${ESCAPE}[0m` : (text) => text;
}

const ESCAPE = '\x1b';

/** A colour, or a character. */
const PARTS = new RegExp(`${ESCAPE}\\[\\d+m|.`, 'gsu');

/** At most `width` characters, not counting colours. */
function cut(line: string, width: number): string {
  let seen = 0;
  let out = '';
  for (const [part] of line.matchAll(PARTS)) {
    if (part.startsWith(ESCAPE)) out += part;
    else if (seen++ < width) out += part;
  }
  return out;
}
