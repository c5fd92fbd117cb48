/*
 * One directive in words: as text for the terminal, and as Markdown for a reference page.
 */
import { describeContext } from '../../conf/schema/contexts.js';
import type { DirectiveDefinition } from '../../conf/schema/definition.js';
import type { ModuleReference } from './catalogue.js';

const INHERITANCE = {
  none: 'stays at its level',
  replace: 'holds below until a level says it anew',
  merge: 'adds to what the levels above say',
} as const;

/** Name and value of each property that there is something to say of. */
function properties(definition: DirectiveDefinition): [name: string, value: string][] {
  const rows: [string, string | null][] = [
    ['syntax', definition.syntax],
    ['default', definition.default],
    ['context', definition.contexts.map(describeContext).join(', ')],
    ['inheritance', INHERITANCE[definition.inherit]],
    ['repeatable', definition.isRepeatable ? 'yes' : null],
    ['not beside', definition.conflicts?.join(', ') ?? null],
    ['since', definition.since],
    ['effect', definition.effect === 'none' ? 'none: taken so that a configuration of nginx works' : null],
    ['unlike nginx', definition.differs ?? null],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

/** For the terminal. */
export function directiveText(definition: DirectiveDefinition, module: string): string {
  const rows: [string, string][] = [...properties(definition), ['module', module]];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(13)}${value}`);
  return `${definition.name}: ${definition.summary}\n${lines.join('\n')}\n`;
}

/** A page for a module. */
export function modulePage({ title, directives }: ModuleReference): string {
  const sections = directives.map((definition) => {
    const rows = properties(definition).map(([name, value]) => {
      const isCode = name === 'syntax' || name === 'default';
      return `| ${name} | ${isCode ? code(value) : value} |`;
    });
    return `## ${definition.name}\n\n${definition.summary}\n\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  });
  return `# ${title}\n\n${sections.join('\n')}`;
}

/** In a cell of a table: a bar would end it. */
function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
