/*
 * What is fuzzed of HTTP/1, each over any number of cases that a seed repeats: against llhttp, against itself
 * split elsewhere, and what is passed on against the strictest of readers.
 */
import { METHODS } from 'node:http';
import { feed } from '../../src/http/h1/contract.js';
import { readStrictRequests, type StrictRequest } from '../../test/strict-requests.js';
import { Random } from '../random.js';
import { compare, type Explanation, explain } from './disagreement.js';
import { REQUEST_EXPLANATIONS, RESPONSE_EXPLANATIONS } from './explanations.js';
import { generateRequests, generateResponses } from './generate.js';
import { RequestOracle, readResponsesWithLlhttp } from './llhttp-oracle.js';
import { cutAnywhere, mutate, stretch } from './mutate.js';
import type { Reading } from './reading.js';
import { REQUEST_SEEDS, RESPONSE_SEEDS } from './seeds.js';
import { RequestFeed, ResponseFeed } from './sluice-reader.js';
import { RequestStage, ResponseStage, StagePool } from './through-proxy.js';

/** What a run found. */
export interface CampaignReport {
  cases: number;
  /** How many cases were of which class. */
  classes: Map<string, number>;
  /** Cases that should not be, with their bytes: the first few. */
  failures: string[];
}

/** One thing to fuzz: gives the class a case is of, or throws an Error that says what is wrong with it. */
export interface Campaign {
  readonly name: string;
  /** Waits for timeouts: a tenth of the cases has to do. */
  readonly isSlow?: boolean;
  readonly run: (random: Random) => string | Promise<string>;
  /** Ends what `run` has started. */
  readonly stop?: () => Promise<void>;
}

/** Cases under way at once: those that go through node:http wait for the event loop. */
const AT_A_TIME = 64;
const MOST_FAILURES = 5;

const requestOracle = new RequestOracle();
const requestStages = new StagePool(() => new RequestStage());
const responseStages = new StagePool(() => new ResponseStage());

export const CAMPAIGNS: readonly Campaign[] = [
  {
    name: 'requests as llhttp reads them',
    run: async (random) => {
      const text = anyText(generateRequests, REQUEST_SEEDS, random);
      const bytes = Buffer.from(text, 'latin1');
      return classify(
        text,
        feed([bytes], new RequestFeed()),
        await requestOracle.read(bytes),
        REQUEST_EXPLANATIONS,
      );
    },
  },
  {
    name: 'responses as llhttp reads them',
    run: async (random) => {
      const text = anyText(generateResponses, RESPONSE_SEEDS, random);
      const bytes = Buffer.from(text, 'latin1');
      const method = anyMethod(random);
      const sluice = feed([bytes], new ResponseFeed(method));
      return classify(text, sluice, await readResponsesWithLlhttp(bytes, method), RESPONSE_EXPLANATIONS);
    },
  },
  {
    name: 'requests, however they are split',
    run: (random) =>
      compareSplit(anyText(generateRequests, REQUEST_SEEDS, random), random, () => new RequestFeed()),
  },
  {
    name: 'responses, however they are split',
    run: (random) => {
      const text = anyText(generateResponses, RESPONSE_SEEDS, random);
      const method = anyMethod(random);
      return compareSplit(text, random, () => new ResponseFeed(method));
    },
  },
  {
    name: 'requests that are passed on',
    run: async (random) => {
      const text = anyText(generateRequests, REQUEST_SEEDS, random);
      const sluice = new RequestFeed();
      const { messages, end } = feed(cutAnywhere(Buffer.from(text, 'latin1'), random), sluice);
      const strict = readStrictRequests(sluice.passedOn);
      const llhttp = await requestOracle.read(Buffer.from(sluice.passedOn, 'latin1'));
      const whole = messages.filter(({ isWhole }) => isWhole);
      check(text, sluice.passedOn, {
        offence: [strict.offence, null],
        requests: [strict.requests.length, whole.length],
        bodies: [strict.requests.map(({ body }) => body), whole.map(({ body }) => body)],
      });
      if (strict.requests.every(isFullyRead)) {
        const read = llhttp.messages.filter(({ isWhole }) => isWhole);
        check(text, sluice.passedOn, {
          'llhttp requests': [read.length, whole.length],
          'llhttp bodies': [read.map(({ body }) => body), whole.map(({ body }) => body)],
        });
      }
      return end;
    },
  },
  {
    name: 'responses that are passed on',
    run: async (random) => {
      const text = anyText(generateResponses, RESPONSE_SEEDS, random);
      const method = anyMethod(random);
      const sluice = new ResponseFeed(method);
      const { messages, end } = feed(cutAnywhere(Buffer.from(text, 'latin1'), random), sluice);
      const llhttp = await readResponsesWithLlhttp(Buffer.from(sluice.passedOn, 'latin1'), method);
      check(text, sluice.passedOn, {
        messages: [llhttp.messages.map(({ start }) => start), messages.map(({ start }) => start)],
        wholes: [llhttp.messages.map(({ isWhole }) => isWhole), messages.map(({ isWhole }) => isWhole)],
        bodies: [llhttp.messages.map(({ body }) => body), messages.map(({ body }) => body)],
      });
      return end;
    },
  },
  {
    name: 'requests through a proxy',
    isSlow: true,
    run: (random) => {
      const text = anyText(generateRequests, REQUEST_SEEDS, random);
      const pieces = cutAnywhere(Buffer.from(text, 'latin1'), random);
      return requestStages.use(text, (stage) => stage.run(pieces));
    },
    stop: () => requestStages.stop(),
  },
  {
    name: 'responses through a proxy',
    isSlow: true,
    run: (random) => {
      const text = anyText(generateResponses, RESPONSE_SEEDS, random);
      const pieces = cutAnywhere(Buffer.from(text, 'latin1'), random);
      const closes = random.oneIn(2);
      const method = anyMethod(random);
      return responseStages.use(text, (stage) => stage.run(pieces, closes, method));
    },
    stop: () => responseStages.stop(),
  },
];

/** Runs cases of one campaign; a case depends on `seed` and its number alone. */
export async function runCampaign(campaign: Campaign, cases: number, seed: number): Promise<CampaignReport> {
  const report: CampaignReport = { cases, classes: new Map(), failures: [] };
  let next = 0;
  const work = async () => {
    while (next < cases && report.failures.length < MOST_FAILURES) {
      const number = next++;
      try {
        const kind = await campaign.run(new Random(seed * 1_000_003 + number));
        report.classes.set(kind, (report.classes.get(kind) ?? 0) + 1);
      } catch (error) {
        report.failures.push(
          `case ${number} of seed ${seed}: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return report;
}

/** A message from a seed or made up, most of them broken somewhere, some of them long. */
function anyText(generate: (random: Random) => string, seeds: readonly string[], random: Random): string {
  const text = random.oneIn(2) ? generate(random) : random.pick(seeds);
  if (random.oneIn(6)) return text;
  const mutant = mutate(text, seeds, random);
  return random.oneIn(100) ? stretch(mutant, random) : mutant;
}

function anyMethod(random: Random): string {
  return random.oneIn(5) ? 'HEAD' : 'GET';
}

function classify(text: string, sluice: Reading, llhttp: Reading, table: readonly Explanation[]): string {
  const disagreement = compare(text, sluice, llhttp);
  if (disagreement === null) return `agreed: ${sluice.end}`;
  const explanation = explain(disagreement, table);
  if (explanation !== null) return explanation.name;
  throw new Error(
    `unexplained: ${JSON.stringify(text)}\n  sluice: ${JSON.stringify(sluice)}\n  llhttp: ${JSON.stringify(llhttp)}`,
  );
}

function compareSplit(text: string, random: Random, open: () => RequestFeed | ResponseFeed): string {
  const bytes = Buffer.from(text, 'latin1');
  const whole = feed([bytes], open());
  const pieces = cutAnywhere(bytes, random);
  const split = feed(pieces, open());
  if (JSON.stringify(whole) !== JSON.stringify(split)) {
    const lengths = pieces.map(({ length }) => length).join('+');
    throw new Error(
      `split ${lengths.slice(0, 80)}: ${JSON.stringify(text)}\n  whole: ${JSON.stringify(whole)}\n  split: ${JSON.stringify(split)}`,
    );
  }
  return whole.end;
}

/** Whether node:http reads all of what was passed on; if not, see `laxer` and `upgrade` among the disagreements. */
function isFullyRead({ method, target, fields }: StrictRequest): boolean {
  return (
    METHODS.includes(method) && !/[\x80-\xff]/.test(target) && !fields.some(([name]) => name === 'upgrade')
  );
}

function check(
  text: string,
  passedOn: string,
  values: Record<string, [found: unknown, expected: unknown]>,
): void {
  for (const [what, [found, expected]] of Object.entries(values)) {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    if (a !== b)
      throw new Error(
        `${what}: ${a} instead of ${b}: ${JSON.stringify(text)}\n  passed on: ${JSON.stringify(passedOn)}`,
      );
  }
}
