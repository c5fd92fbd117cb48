/*
 * docs/command-line.md and the READMEs against what the command knows.
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { DEMO_FLAGS, ECHO_FLAGS, environmentName, type Flag, PROXY_FLAGS } from '../src/cli/flags.js';
import { buildProgram } from '../src/cli/program.js';

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

/** The part of the page under a heading. */
function section(heading: string): string {
  const [, text] = read('docs/command-line.md').split(`\n## ${heading}\n`);
  return text!.split('\n## ')[0]!;
}

/** Flag, variable and default of each row of the section's table of flags. */
function documentedFlags(heading: string): string[][] {
  return [...section(heading).matchAll(/^\| `(--[^`]+)` \| `([^`]+)` \| `([^`]+)` \| .+ \|$/gm)].map((row) =>
    row.slice(1),
  );
}

const nothing = async () => {};
const program = buildProgram({
  proxy: nothing,
  echo: nothing,
  demo: nothing,
  doctor: nothing,
  directives: nothing,
  explain: nothing,
  diff: nothing,
  top: nothing,
});

function knownFlags(command: Command): string[] {
  return command.options.map((option) => option.flags).filter((flags) => flags !== '-v, --version');
}

describe('docs/command-line.md', () => {
  it.each<[heading: string, name: string, flags: readonly Flag[]]>([
    ['The proxy', '', PROXY_FLAGS],
    ['sluice echo', 'echo', ECHO_FLAGS],
    ['sluice demo', 'demo', DEMO_FLAGS],
  ])('"%s" documents the flags that commander knows, with variable and default', (heading, name, flags) => {
    const command = program.commands.find((candidate) => candidate.name() === name) ?? program;
    const documented = documentedFlags(heading);
    expect(documented.map(([flag]) => flag)).toEqual(knownFlags(command));
    expect(documented).toEqual(
      flags.map((flag) => [
        `--${flag.name} <${flag.value}>`,
        environmentName(name, flag.name),
        flag.fallback,
      ]),
    );
  });
});

describe.each(['README.md', 'README.ru.md'])('%s', (file) => {
  it('uses flags that exist', () => {
    const known = [program, ...program.commands].flatMap((command) =>
      command.options.map(({ long }) => long),
    );
    const lines = read(file)
      .split('\n')
      .filter((line) => /^(sluice|npx sluice|npm start)\b/.test(line));
    const used = lines.flatMap((line) => [...line.matchAll(/ (--[a-z-]{2,})/g)].map((match) => match[1]));
    expect(used.length).toBeGreaterThan(0);
    for (const flag of used) expect(known).toContain(flag);
  });
});

it('README.ru.md shows the same commands and outputs as README.md', () => {
  const blocks = (file: string) => read(file).match(/^```[\s\S]*?^```$/gm);
  expect(blocks('README.ru.md')).toEqual(blocks('README.md'));
});
