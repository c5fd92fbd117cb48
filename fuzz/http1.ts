// The HTTP/1 codec against llhttp, against itself split elsewhere, and what it passes on against strict readers.
//
//   npm run fuzz -- [seconds] [seed]
import { CAMPAIGNS, runCampaign } from './http1/campaigns.js';

const CASES_A_ROUND = 10_000;

const seconds = Number(process.argv[2] ?? 30);
const firstSeed = Number(process.argv[3] ?? Date.now() % 1_000_000);
if (!(seconds > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error('usage: npm run fuzz -- [seconds] [seed]');
  process.exit(2);
}

console.log(`HTTP/1 fuzzing for ${seconds} s, first seed ${firstSeed}, llhttp ${process.versions.llhttp}`);
for (const campaign of CAMPAIGNS) {
  const startMs = performance.now();
  const endMs = startMs + (seconds * 1000) / CAMPAIGNS.length;
  const classes = new Map<string, number>();
  let cases = 0;
  for (let seed = firstSeed; performance.now() < endMs; seed++) {
    const report = await runCampaign(campaign, campaign.isSlow ? CASES_A_ROUND / 10 : CASES_A_ROUND, seed);
    cases += report.cases;
    for (const [name, count] of report.classes) classes.set(name, (classes.get(name) ?? 0) + count);
    for (const failure of report.failures) console.error(failure);
    if (report.failures.length > 0) process.exit(1);
  }
  await campaign.stop?.();
  const rate = Math.round(cases / ((performance.now() - startMs) / 1000));
  console.log(`\n${campaign.name}: ${cases} cases, ${rate} a second`);
  for (const [name, count] of [...classes].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(10)}  ${name}`);
  }
}
