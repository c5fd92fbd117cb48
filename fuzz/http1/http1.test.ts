/*
 * A bounded part of what `npm run fuzz` does without end: the same cases in every run.
 */
import { describe, expect, it } from 'vitest';
import { feed } from '../../src/http/h1/contract.js';
import { CAMPAIGNS, runCampaign } from './campaigns.js';
import { compare, type Explanation, explain } from './disagreement.js';
import { REQUEST_EXPLANATIONS, RESPONSE_EXPLANATIONS } from './explanations.js';
import { RequestOracle, readResponsesWithLlhttp } from './llhttp-oracle.js';
import type { Reading } from './reading.js';
import { RequestFeed, ResponseFeed } from './sluice-reader.js';

const SEED = 1;
const CASES = 3000;

describe.each(CAMPAIGNS)('HTTP/1 fuzzing: $name', (campaign) => {
  it('finds nothing that should not be', async () => {
    const cases = campaign.isSlow ? CASES / 10 : CASES;
    const { failures, classes } = await runCampaign(campaign, cases, SEED);
    await campaign.stop?.();
    expect(failures).toEqual([]);
    // Good messages among them, or nothing was tried.
    const good = [...classes].filter(([name]) => /whole$|200$/.test(name));
    expect(good.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(cases / 20);
  });
});

describe('the explanation of a disagreement with llhttp', () => {
  const requestOracle = new RequestOracle();

  it.each(REQUEST_EXPLANATIONS)('on requests has an example: $name', async (explanation) => {
    const bytes = Buffer.from(explanation.example, 'latin1');
    const llhttp = await requestOracle.read(bytes);
    expectClass(explanation, feed([bytes], new RequestFeed()), llhttp, REQUEST_EXPLANATIONS);
  });

  it.each(RESPONSE_EXPLANATIONS)('on responses has an example: $name', async (explanation) => {
    const bytes = Buffer.from(explanation.example, 'latin1');
    const llhttp = await readResponsesWithLlhttp(bytes, 'GET');
    expectClass(explanation, feed([bytes], new ResponseFeed('GET')), llhttp, RESPONSE_EXPLANATIONS);
  });
});

/** That an explanation's example is of its class and no other, if the llhttp at hand still differs there. */
function expectClass(
  { name, example, fixedIn }: Explanation,
  sluice: Reading,
  llhttp: Reading,
  table: readonly Explanation[],
): void {
  const disagreement = compare(example, sluice, llhttp);
  const isFixed = fixedIn !== undefined && !isOlder(process.versions.llhttp!, fixedIn);
  if (isFixed) expect(disagreement).toBeNull();
  else expect(disagreement && explain(disagreement, table)?.name).toBe(name);
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number);
  return major !== otherMajor ? major < otherMajor : minor < otherMinor;
}
