import { describe, expect, it } from 'vitest';
import { sampleRegistry } from '../../../test/sample-registry.js';
import { REGISTRY } from '../../modules/registry.js';
import { moduleReferences } from './catalogue.js';
import { directiveText, modulePage } from './describe.js';
import { configurationSchema } from './schema.js';

const modules = moduleReferences();
const all = modules.flatMap(({ directives }) => directives);

describe('declarations', () => {
  it('have a summary of one sentence and a syntax that begins with their name', () => {
    for (const { name, summary, syntax } of all) {
      expect(summary, name).toMatch(/^[A-Z$].*\.$/);
      expect(syntax.split(' ')[0], name).toBe(name);
    }
  });

  it('are all in a module', () => {
    expect(new Set(all)).toEqual(new Set(REGISTRY.definitions));
  });
});

describe('a reference page', () => {
  it('has a section for each directive, with syntax, default and places', () => {
    const log = modules.find(({ name }) => name === 'http_log')!;
    const page = modulePage(log);
    expect(page).toMatch(/^# ngx_http_log_module\n\n## access_log\n/);
    expect(page).toContain('| default | `logs/access.log combined` |');
    expect(page).toContain('access_log file \\| stdout');
    const definition = log.directives.find(({ name }) => name === 'log_format')!;
    expect(directiveText(definition, log.title)).toContain('  context      "http"\n');
  });
});

describe('the schema', () => {
  const schema = configurationSchema(sampleRegistry) as {
    $defs: Record<string, { items?: { anyOf: object[] } }>;
  };

  it('has a list of directives for each place, and refers only to what it defines', () => {
    const refs = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map(
      ([, name]) => name!,
    );
    expect(refs.length).toBeGreaterThan(100);
    expect(refs.filter((name) => !(name in schema.$defs))).toEqual([]);
  });

  it('says how many arguments a directive takes and what its block holds', () => {
    expect(schema.$defs.daemon_in_main).toMatchObject({
      properties: { directive: { const: 'daemon' }, args: { minItems: 1, maxItems: 1 } },
      required: ['directive', 'args'],
    });
    expect(schema.$defs.server_in_http).toMatchObject({
      properties: { block: { $ref: '#/$defs/server' } },
      required: ['directive', 'args', 'block'],
    });
    expect(schema.$defs.if_in_server).toMatchObject({ properties: { block: { $ref: '#/$defs/server_if' } } });
  });
});
