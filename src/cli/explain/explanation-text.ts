/*
 * An explanation as people read it: a line for each step with its place and its directive, then what would be sent and
 * answered. Columns are as wide as they need; nothing is cut that tells.
 */
import type { Answer, AskedUpstream, Explanation, Place, Step } from '../../explain/explanation.js';

export interface ExplanationTextOptions {
  /** Files below it are shown from there on. */
  readonly folder: string;
  readonly hasColours: boolean;
}

/** One line of the table. */
interface Row {
  readonly place: string;
  readonly directive: string;
  readonly text: string;
  readonly tone: Tone;
}

type Tone = 'plain' | 'good' | 'bad' | 'faint';

const COLOURS: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '\x1b[32m',
  bad: '\x1b[31m',
  faint: '\x1b[2m',
};

/** Longer directives are cut: their place says where to read on. */
const MAX_DIRECTIVE = 48;

/** The whole text. */
export function explanationText(explanation: Explanation, options: ExplanationTextOptions): string {
  const { request, steps, upstream, answer } = explanation;
  const rows = [...firstRows(explanation, options), ...steps.flatMap((step) => rowsOf(step, 0, options))];
  const lines = [
    `${request.method} ${request.url} from ${request.from}`,
    '',
    ...table(rows, options.hasColours),
    ...(upstream === null ? [] : ['', ...upstreamLines(upstream)]),
    '',
    ...answerLines(answer),
  ];
  if (answer.settings.length > 0) {
    const settings = answer.settings.map((place) => rowOf(place, '', 0, 'plain', options));
    lines.push('', 'In force for the answer', ...table(settings, options.hasColours));
  }
  return `${lines.map(visible).join('\n')}\n`;
}

function firstRows({ listen, server }: Explanation, options: ExplanationTextOptions): Row[] {
  const others = listen.others.length === 0 ? '' : `; there is ${listen.others.join(', ')} too`;
  const why = server.matched === null ? server.reason : `${server.reason} "${server.matched}"`;
  return [
    rowOf(listen.place, `comes in at ${listen.address}${others}`, 0, 'plain', options),
    rowOf(
      server.place,
      `server ${server.name === '' ? 'without a name' : server.name}: ${why}`,
      0,
      'good',
      options,
    ),
  ];
}

function rowsOf(step: Step, depth: number, options: ExplanationTextOptions): Row[] {
  const [first = null, ...more] = step.places;
  return [
    rowOf(first, wordsOf(step), depth, toneOf(step), options),
    ...more.map((place) => rowOf(place, '', depth, 'plain', options)),
    ...shownOf(step).flatMap((detail) => rowsOf(detail, depth + 1, options)),
  ];
}

/** Of many locations that have nothing to do with the path only their number is told. */
function shownOf({ kind, details }: Step): readonly Step[] {
  if (kind !== 'location') return details;
  const far = details.filter(({ text }) => FAR.has(text));
  if (far.length <= MOST_FAR) return details;
  const text = `and ${far.length} others that have nothing to do with it`;
  const rest: Step = { kind: 'candidate', text, result: 'lost', places: [], details: [] };
  return [...details.filter((detail) => !far.includes(detail)), rest];
}

const FAR: ReadonlySet<string> = new Set(['is not the path', 'does not begin the path']);
const MOST_FAR = 6;

function wordsOf({ kind, text, module, places }: Step): string {
  if (kind === 'file' || kind === 'log') return `${kind} ${text}`;
  return module !== undefined && places.length === 0 ? `${module} ${text}` : text;
}

function toneOf({ kind, result, text }: Step): Tone {
  if (kind === 'candidate' || kind === 'match') return result === 'won' ? 'good' : 'faint';
  if (kind === 'variable' || kind === 'file' || kind === 'log') return 'faint';
  return /^(?:refuses|closes|asks for credentials|answers [45])/.test(text) ? 'bad' : 'plain';
}

function rowOf(
  place: Place | null,
  text: string,
  depth: number,
  tone: Tone,
  { folder }: ExplanationTextOptions,
): Row {
  const indent = '  '.repeat(depth);
  if (place === null) return { place: '', directive: '', text: indent + text, tone };
  const file = place.file.startsWith(folder) ? place.file.slice(folder.length) : place.file;
  const { directive } = place;
  const cut = directive.length > MAX_DIRECTIVE ? `${directive.slice(0, MAX_DIRECTIVE - 1)}…` : directive;
  return {
    place: `${file}:${place.line}:${place.column}`,
    directive: indent + cut,
    text: indent + text,
    tone,
  };
}

function table(rows: readonly Row[], hasColours: boolean): string[] {
  const placeWidth = Math.max(...rows.map(({ place }) => place.length));
  const directiveWidth = Math.max(...rows.map(({ directive }) => directive.length));
  return rows.map(({ place, directive, text, tone }) => {
    const left = `  ${place.padEnd(placeWidth)}  ${directive.padEnd(directiveWidth)}`;
    const colour = hasColours ? COLOURS[tone] : '';
    return colour === '' ? `${left}  ${text}`.trimEnd() : `${left}  ${colour}${text}\x1b[0m`;
  });
}

function upstreamLines({ group, groupPlace, balancer, peer, peerCount, head }: AskedUpstream): string[] {
  const which =
    peerCount === 1 ? 'the only peer' : `the first choice of ${balancer} among the ${peerCount} peers`;
  const of = groupPlace === null ? '' : `, ${which} of upstream ${group}`;
  return [`Sent to ${peer}${of}`, ...head.map((line) => `  ${line}`)];
}

function answerLines({ status, head, file, isPretended }: Answer): string[] {
  if (status === 0) return ['No answer: the connection is closed'];
  const source = file === null ? '' : ` with ${file}`;
  const premise = isPretended ? ', if the upstream answers 200 with 16 KB of text/html' : '';
  return [`Answered${source}${premise}`, ...head.map((line) => `  ${line}`)];
}

/** What a request or a file says could move the cursor of a terminal. */
function visible(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return line.replace(/[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9]{0,2}m)/g, '\ufffd');
}
