/*
 * `sluice directives`: what a configuration may say, from the declarations themselves.
 */
import { KNOWN_DIRECTIVES } from '../conf/schema/known-directives.js';
import { REGISTRY } from '../modules/registry.js';
import { moduleReferences } from './reference/catalogue.js';
import { directiveText } from './reference/describe.js';
import { configurationSchema } from './reference/schema.js';
import { UsageError } from './usage-error.js';

/** Prints all directives, one, or the schema. @throws UsageError for a name that is none */
export function runDirectives(name: string | undefined, options: { readonly schema?: boolean }): void {
  if (options.schema === true) process.stdout.write(schemaText());
  else process.stdout.write(name === undefined ? listText() : describeAll(name));
}

/** The schema as it is printed and kept in docs/reference: a line for each directive. */
export function schemaText(): string {
  const { $defs, ...head } = configurationSchema(REGISTRY);
  const defs = Object.entries($defs as object).map(
    ([name, def]) => `${JSON.stringify(name)}: ${JSON.stringify(def)}`,
  );
  return `${JSON.stringify(head).slice(0, -1)}, "$defs": {\n${defs.join(',\n')}\n}}\n`;
}

function listText(): string {
  const blocks = moduleReferences().map(({ title, directives }) => {
    const lines = directives.map(({ name, effect, summary }) => {
      return `  ${name.padEnd(32)} ${effect === 'none' ? '(no effect) ' : ''}${summary}`;
    });
    return `${title}\n${lines.join('\n')}\n`;
  });
  return blocks.join('\n');
}

function describeAll(name: string): string {
  const texts = moduleReferences().flatMap(({ title, directives }) =>
    directives
      .filter((definition) => definition.name === name)
      .map((definition) => directiveText(definition, title)),
  );
  if (texts.length > 0) return texts.join('\n');
  const module = KNOWN_DIRECTIVES.get(name);
  if (module !== undefined)
    throw new UsageError(`Cannot describe "${name}": it belongs to ${module}, which is not here yet`);
  const near = REGISTRY.suggest(name, 'location');
  const advice = near === null ? 'sluice directives lists them' : `did you mean "${near}"?`;
  throw new UsageError(`Cannot describe "${name}": there is no such directive; ${advice}`);
}
