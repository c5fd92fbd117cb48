/*
 * A survey as people read it: how many of each, then one line each with its place.
 */
import { STATUSES, type Survey, type SurveyFinding } from './survey.js';

const HEADINGS: Readonly<Record<SurveyFinding['status'], string>> = {
  wrong: 'Wrong: nginx would not take these either',
  missing: 'Missing: nginx knows these, Sluice does not yet',
  different: 'Different: they work, but not quite as in nginx',
  'without effect': 'Without effect: taken, and not needed here',
};

/** The gravest first. */
const ORDER = ['wrong', 'missing', 'different', 'without effect'] as const;

/** The whole report. */
export function surveyText({ files, counts, findings }: Survey): string {
  if (files.length === 0)
    return findings.map(({ message }) => `There is nothing to look at: ${message}\n`).join('');
  const others = files.length - 1;
  const more = others === 0 ? '' : ` and ${others} more ${others === 1 ? 'file' : 'files'}`;
  const total = STATUSES.reduce((sum, status) => sum + counts[status], 0);
  const lines = [`${files[0]}${more}: ${total} ${total === 1 ? 'directive' : 'directives'}`];
  for (const status of STATUSES) lines.push(`  ${status.padEnd(15)}${String(counts[status]).padStart(5)}`);
  for (const status of ORDER) {
    const some = findings.filter((finding) => finding.status === status);
    if (some.length > 0) lines.push('', HEADINGS[status], ...some.map(lineOf));
  }
  const isFine = counts.missing + counts.wrong === 0;
  lines.push(
    '',
    isFine ? 'Sluice can serve this configuration.' : 'Sluice cannot serve this configuration yet.',
  );
  return `${lines.join('\n')}\n`;
}

function lineOf({ file, line, column, directive, module, message }: SurveyFinding): string {
  const place = file === '' ? '' : `${file}:${line}:${column} `;
  if (module !== null) return `  ${place}${directive} (${module})`;
  return `  ${place}${directive === null ? '' : `${directive}: `}${message}`;
}
