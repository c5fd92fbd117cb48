/*
 * What an operator wants to know first: whether anything is wrong, and what.
 */
import { formatCount, formatShare } from './format.js';
import { addUp, lastOf, sum } from './series.js';
import type { View } from './view.js';

const MINUTE_MS = 60_000;
const FAILED_CLASS = 5;
const WELL = new Set(['up', 'draining', 'down', 'checking']);

/** Fewer than this part of the requests fail every now and then. */
const BAD_SHARE = 0.01;

export function Verdict({ view }: { view: View }) {
  const ill = illServers(view);
  const answers = addUp(
    lastOf(view.seconds, view.snapshot.wallMs, MINUTE_MS).map((second) => second.answers),
  );
  const failed = answers[FAILED_CLASS] ?? 0;
  const all = sum(answers);
  const texts = failed > 0 ? [...ill, describeFailed(failed, all)] : ill;
  const isBad = ill.length > 0 || failed >= BAD_SHARE * all;
  const tone = texts.length === 0 ? 'good' : isBad ? 'bad' : 'warn';
  return (
    <section class={`verdict ${tone}`} aria-label="Summary">
      <i aria-hidden="true">{tone === 'good' ? '✓' : '!'}</i>
      <div>
        {(texts.length === 0 ? [describeWell(view)] : texts).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </div>
    </section>
  );
}

function illServers({ snapshot }: View): string[] {
  return snapshot.upstreams.flatMap(({ name, peers }) => {
    const ill = peers.filter(({ state }) => !WELL.has(state));
    if (ill.length === 0) return [];
    const who = ill.length === 1 ? ill[0]!.address : `${ill.length} of ${peers.length} servers`;
    return [`${who} of ${name} ${ill.length === 1 ? `is ${ill[0]!.state}` : 'get no requests'}.`];
  });
}

function describeFailed(failed: number, all: number): string {
  const answers = failed === 1 ? '1 answer' : `${formatCount(failed)} answers`;
  return `${answers} with 5xx in the last minute: ${formatShare(failed, all)} of all.`;
}

/** Those that are taken out on purpose are neither well nor ill. */
function describeWell({ snapshot: { upstreams } }: View): string {
  const states = upstreams.flatMap(({ peers }) => peers.map(({ state }) => state));
  const out = states.filter((state) => state === 'down' || state === 'draining').length;
  return `${describeServers(states.length - out, out)}No answer with 5xx in the last minute.`;
}

function describeServers(well: number, out: number): string {
  const aside = out === 0 ? '' : `${formatCount(out)} ${out === 1 ? 'is' : 'are'} taken out. `;
  if (well === 0) return aside;
  if (well === 1) return `The one server${out === 0 ? '' : ' in use'} is well. ${aside}`;
  return `All ${formatCount(well)} servers${out === 0 ? '' : ' in use'} are well. ${aside}`;
}
