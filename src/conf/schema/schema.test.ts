import { describe, expect, expectTypeOf, it } from 'vitest';
import { finding } from '../diagnostics/catalogue.js';
import { loadConf } from '../load/load.js';
import { print } from '../syntax/printer.js';
import { flag } from '../values/flag.js';
import { size } from '../values/size.js';
import { text } from '../values/text.js';
import { optional, rest } from './arguments.js';
import { checkConf } from './check.js';
import { valuesOf } from './checked.js';
import { contextWithin, type DirectiveDefinition, defineDirective } from './definition.js';
import { detectContext, wrapFragment } from './fragment.js';
import { KNOWN_DIRECTIVES } from './known-directives.js';
import { Registry } from './registry.js';

const common = {
  syntax: '',
  default: null,
  inherit: 'replace',
  isRepeatable: true,
  summary: '',
  since: '0.2.0',
  effect: 'full',
  block: null,
} as const;

const gzip = defineDirective({
  ...common,
  name: 'gzip',
  contexts: ['http', 'server', 'location'],
  args: [flag],
});
const gzipBuffers = defineDirective({
  ...common,
  name: 'gzip_buffers',
  contexts: ['http', 'location'],
  args: [size, optional(size)],
  counts: [2],
});
const blocks: DirectiveDefinition[] = [
  defineDirective({ ...common, name: 'events', contexts: ['main'], args: [], block: { opens: 'events' } }),
  defineDirective({ ...common, name: 'http', contexts: ['main'], args: [], block: { opens: 'http' } }),
  defineDirective({ ...common, name: 'stream', contexts: ['main'], args: [], block: { opens: 'stream' } }),
  defineDirective({ ...common, name: 'server', contexts: ['http'], args: [], block: { opens: 'server' } }),
  defineDirective({
    ...common,
    name: 'server',
    contexts: ['stream'],
    args: [],
    block: { opens: 'stream server' },
  }),
  defineDirective({
    ...common,
    name: 'location',
    contexts: ['server', 'location'],
    args: [text()],
    block: { opens: 'location' },
  }),
  defineDirective({
    ...common,
    name: 'if',
    contexts: ['server', 'location'],
    args: [rest(text(), 1)],
    block: { opens: { server: 'server if', location: 'location if' } },
  }),
  defineDirective({
    ...common,
    name: 'types',
    contexts: ['http'],
    args: [],
    block: { checkEntry: ({ args }) => (args.length > 0 ? null : finding('few', 'too few', null)) },
  }),
];
const simples: DirectiveDefinition[] = [
  defineDirective({
    ...common,
    name: 'listen',
    contexts: ['server', 'stream server'],
    args: [rest(text(), 1)],
  }),
  defineDirective({ ...common, name: 'root', contexts: ['http', 'server', 'location'], args: [text()] }),
  defineDirective({ ...common, name: 'proxy_pass', contexts: ['location'], args: [text()] }),
  defineDirective({ ...common, name: 'proxy_pass', contexts: ['stream server'], args: [text()] }),
  defineDirective({ ...common, name: 'proxy_timeout', contexts: ['stream server'], args: [text()] }),
  defineDirective({ ...common, name: 'user', contexts: ['main'], args: [text()] }),
];
const registry = new Registry([gzip, gzipBuffers, ...blocks, ...simples]);

function load(files: Record<string, string>) {
  const reader = {
    readFile: (path: string) => files[path] ?? { code: 'ENOENT', number: 2 },
    listFolder: () => null,
  };
  return loadConf('a.conf', reader);
}

describe('Registry', () => {
  it('knows what a name means in a place', () => {
    expect(registry.find('proxy_pass', 'location')).not.toBe(registry.find('proxy_pass', 'stream server'));
    expect(registry.find('proxy_pass', 'http')).toBeNull();
    expect(registry.named('proxy_pass').length).toBe(2);
    expect(registry.has('proxy_pas')).toBe(false);
    expect(registry.definitions.map((one) => one.name).slice(0, 3)).toEqual([
      'events',
      'gzip',
      'gzip_buffers',
    ]);
  });

  it('suggests what may stand there before what may not, and what nginx has at last', () => {
    expect(registry.suggest('proxy_pas', 'location')).toBe('proxy_pass');
    expect(registry.suggest('user_', 'http')).toBe('user');
    expect(registry.suggest('xslt_stylesheets', 'http')).toBe('xslt_stylesheet');
    expect(registry.suggest('frobnicate_everything', 'http')).toBeNull();
  });

  it('refuses two meanings of a name in one place', () => {
    expect(() => new Registry([gzip, gzip])).toThrow('Directive "gzip" is defined twice in http');
  });

  it('knows the directives of nginx by their modules', () => {
    expect(KNOWN_DIRECTIVES.get('proxy_pass')).toBe('ngx_http_proxy_module');
    expect(KNOWN_DIRECTIVES.get('smtp_auth')).toBe('ngx_mail_smtp_module');
    expect(KNOWN_DIRECTIVES.get('content_by_lua_block')).toBe('lua-nginx-module');
    expect(KNOWN_DIRECTIVES.size).toBeGreaterThan(800);
    expect([...KNOWN_DIRECTIVES.keys()].filter((name) => !/^[a-z0-9_]+$/.test(name))).toEqual([]);
  });
});

describe('checkConf', () => {
  it('leaves the directives with their values, includes resolved and what is wrong left out', () => {
    const { directives, diagnostics } = checkConf(
      load({
        'a.conf': 'http { include b; gzip maybe; oops; server { if ($a) { } location / { gzip off; } } }',
        b: 'gzip on;\ntypes { a b c; d; include c; }',
        c: 'e f;',
      }),
      registry,
    );
    expect(diagnostics.map(({ code }) => code)).toEqual(['few', 'bad-value', 'unknown-directive']);
    const [http] = directives;
    expect(http!.block.map(({ definition }) => definition.name)).toEqual(['gzip', 'types', 'server']);
    const [first, types, server] = http!.block;
    expect(first).toMatchObject({ context: 'http', values: [true] });
    expect(types!.entries.map(({ name, args }) => [name, ...args.map((arg) => arg.text)])).toEqual([
      ['a', 'b', 'c'],
      ['e', 'f'],
    ]);
    const [condition, location] = server!.block;
    expect(condition!.values).toEqual(['($a)']);
    expect(location!.block[0]).toMatchObject({
      context: 'location',
      values: [false],
      node: { name: 'gzip' },
    });
  });

  it('gives values with the types of their definition, to it alone', () => {
    const { directives } = checkConf(load({ 'a.conf': 'http { gzip on; gzip_buffers 1k 2k; }' }), registry);
    const [one, two] = directives[0]!.block;
    const values = valuesOf(gzip, one!);
    expectTypeOf(values).toEqualTypeOf<[boolean] | null>();
    expect(values).toEqual([true]);
    expect(valuesOf(gzip, two!)).toBeNull();
    expect(valuesOf(gzipBuffers, two!)).toEqual([1024, 2048]);
  });

  it('counts arguments by the list of a directive that has one', () => {
    const { diagnostics } = checkConf(load({ 'a.conf': 'http { gzip_buffers 1k; }' }), registry);
    expect(diagnostics.map(({ message }) => message)).toEqual(['"gzip_buffers" takes 2 arguments, 1 given']);
  });

  it('comes to an end with includes that multiply', () => {
    const files: Record<string, string> = { 'a.conf': 'http { include f0; }', f12: 'gzip on;' };
    for (let i = 0; i < 12; i++) files[`f${i}`] = `include f${i + 1};`.repeat(10);
    const { diagnostics } = checkConf(load(files), registry);
    expect(diagnostics.map(({ code }) => code)).toEqual(['too-many-directives']);
  });

  it('opens no context for a block that has none there', () => {
    const condition = registry.find('if', 'server')!;
    expect(contextWithin(condition, 'server')).toBe('server if');
    expect(contextWithin(condition, 'http')).toBeNull();
    expect(contextWithin(gzip, 'http')).toBeNull();
  });
});

describe('detectContext', () => {
  it.each([
    ['', 'main'],
    ['user a; http { }', 'main'],
    ['events { } http { serve { } gzip on; }', 'main'],
    ['server { listen 80; }', 'http'],
    ['gzip on; server { location / { proxy_pass http://a; } }', 'http'],
    ['include b;', 'http'],
    ['listen 80; location / { }', 'server'],
    ['root /a; location / { proxy_pass a; }', 'server'],
    ['proxy_pass http://a;', 'location'],
    ['location /a { } proxy_pass http://a;', 'location'],
    ['server { listen 1; proxy_pass a:1; proxy_timeout 1s; }', 'stream'],
    ['listen 1; proxy_pass a:1;', 'stream server'],
    ['frobnicate;', 'main'],
  ])('takes %j for the inside of %s', (text_, context) => {
    expect(detectContext(load({ 'a.conf': text_, b: 'server { }' }), registry)).toBe(context);
  });

  it('is followed by the blocks that are missing, in which the file is right', () => {
    for (const [text_, wrapped] of [
      ['user a;', 'user a;\n'],
      ['gzip on;', 'events {}\nhttp {\n    gzip on;\n}\n'],
      ['listen 80;', 'events {}\nhttp {\n    server {\n        listen 80;\n    }\n}\n'],
      [
        'proxy_pass a;',
        'events {}\nhttp {\n    server {\n        location / {\n            proxy_pass a;\n        }\n    }\n}\n',
      ],
      ['server { proxy_pass a; }', 'events {}\nstream {\n    server {\n        proxy_pass a;\n    }\n}\n'],
      [
        'listen 1; proxy_pass a;',
        'events {}\nstream {\n    server {\n        listen 1;\n        proxy_pass a;\n    }\n}\n',
      ],
    ] as const) {
      const conf = load({ 'a.conf': text_ });
      const whole = wrapFragment(conf, detectContext(conf, registry));
      expect(print(whole.items)).toBe(wrapped);
      expect(checkConf(whole, registry).diagnostics).toEqual([]);
    }
  });
});
