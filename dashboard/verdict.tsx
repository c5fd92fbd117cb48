/*
 * What an operator wants to know first: whether anything is wrong, and what.
 */
import { formatCount, formatShare } from './format.js';
import { addUp, lastOf, sum } from './series.js';
import type { View } from './view.js';

const MINUTE_MS = 60_000;
const FAILED_CLASS = 5;
const WELL = new Set(['up', 'draining', 'down', 'checking']);

export function Verdict({ view }: { view: View }) {
  const troubles = troublesOf(view);
  const isWell = troubles.length === 0;
  return (
    <section class={isWell ? 'verdict good' : 'verdict bad'} aria-label="Summary">
      <i aria-hidden="true">{isWell ? '✓' : '!'}</i>
      <div>
        {(isWell ? [describeWell(view)] : troubles).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </div>
    </section>
  );
}

function troublesOf({ snapshot, seconds }: View): string[] {
  const troubles = snapshot.upstreams.flatMap(({ name, peers }) => {
    const ill = peers.filter(({ state }) => !WELL.has(state));
    if (ill.length === 0) return [];
    const who = ill.length === 1 ? ill[0]!.address : `${ill.length} of ${peers.length} servers`;
    return [`${who} of ${name} ${ill.length === 1 ? `is ${ill[0]!.state}` : 'get no requests'}.`];
  });
  const answers = addUp(lastOf(seconds, snapshot.wallMs, MINUTE_MS).map((second) => second.answers));
  const failed = answers[FAILED_CLASS] ?? 0;
  if (failed > 0) {
    const share = formatShare(failed, sum(answers));
    troubles.push(`${formatCount(failed)} answers with 5xx in the last minute: ${share} of all.`);
  }
  return troubles;
}

function describeWell({ snapshot: { upstreams } }: View): string {
  const count = sum(upstreams.map(({ peers }) => peers.length));
  const servers =
    count === 0 ? '' : count === 1 ? 'The one server is well. ' : `All ${count} servers are well. `;
  return `${servers}No answer with 5xx in the last minute.`;
}
