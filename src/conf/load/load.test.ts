import { describe, expect, it } from 'vitest';
import { renderForLog, renderForPeople } from '../diagnostics/render.js';
import { loadConf } from './load.js';
import { sortDiagnostics } from './order.js';
import type { ConfReader } from './reader.js';

/** A reader of files that are not on a disk, which counts how often each is read. */
class MemoryReader implements ConfReader {
  readonly reads = new Map<string, number>();
  readonly #files: Record<string, string>;

  constructor(files: Record<string, string>) {
    this.#files = files;
  }

  readFile(path: string) {
    this.reads.set(path, (this.reads.get(path) ?? 0) + 1);
    if (path.endsWith('/folder')) return { code: 'EISDIR', number: 21 };
    return this.#files[path] ?? { code: 'ENOENT', number: 2 };
  }

  listFolder(path: string) {
    const names = Object.keys(this.#files).filter((name) => name.startsWith(path));
    const children = names.map((name) => name.slice(path.length).split('/')[0]!);
    return names.length === 0 ? null : [...new Set(children)];
  }
}

function load(files: Record<string, string>, commandLine?: string) {
  const reader = new MemoryReader(files);
  const conf = loadConf('/etc/nginx.conf', reader, commandLine);
  const diagnostics = sortDiagnostics(conf.diagnostics, conf);
  return { conf, reader, diagnostics, log: diagnostics.map(renderForLog) };
}

describe('loadConf', () => {
  it('follows includes from the folder of the main file, also from files in other folders', () => {
    const { conf, log } = load({
      '/etc/nginx.conf': 'include a/b.conf;',
      '/etc/a/b.conf': 'include c.conf; http { include "/opt/d.conf"; }',
      '/etc/c.conf': '',
      '/opt/d.conf': '',
    });
    expect(log).toEqual([]);
    expect(conf.sources.map(({ source }) => source.name)).toEqual([
      '/etc/nginx.conf',
      '/etc/a/b.conf',
      '/etc/c.conf',
      '/opt/d.conf',
    ]);
  });

  it('reads a file once, however often it is included', () => {
    const { conf, reader } = load({
      '/etc/nginx.conf': 'a { include p; } b { include p; include p*; }',
      '/etc/p': 'x;',
    });
    expect(conf.sources.length).toBe(2);
    expect(reader.reads.get('/etc/p')).toBe(1);
    expect([...conf.includes.values()].map((parsed) => parsed.length)).toEqual([1, 1, 1]);
    expect(new Set([...conf.includes.values()].flat()).size).toBe(1);
  });

  it('includes all files of a pattern in order, and none without complaint', () => {
    const { conf, log } = load({
      '/etc/nginx.conf': 'include s/*.conf; include t/*;',
      '/etc/s/b.conf': '',
      '/etc/s/a.conf': '',
      '/etc/s/c': '',
    });
    expect(log).toEqual([]);
    expect(conf.sources.map(({ source }) => source.name).slice(1)).toEqual([
      '/etc/s/a.conf',
      '/etc/s/b.conf',
    ]);
  });

  it('reports files that cannot be read where they are included, each time', () => {
    const { log, diagnostics } = load({
      '/etc/nginx.conf': 'include\n a;\nb { include a; include folder; }',
    });
    expect(log).toEqual([
      '[emerg] open() "/etc/a" failed (2: No such file or directory) in /etc/nginx.conf:2',
      '[emerg] open() "/etc/a" failed (2: No such file or directory) in /etc/nginx.conf:3',
      '[emerg] pread() "/etc/folder" failed (21: Is a directory) in /etc/nginx.conf:3',
    ]);
    expect(renderForPeople(diagnostics[0]!, { withSource: false })).toBe(
      '/etc/nginx.conf:2:2 cannot open "/etc/a": No such file or directory',
    );
  });

  it('reports a main file that cannot be read', () => {
    const { conf, log } = load({});
    expect(log).toEqual(['[emerg] open() "/etc/nginx.conf" failed (2: No such file or directory)']);
    expect(conf.items).toEqual([]);
  });

  it('names the way of a cycle and goes on', () => {
    const { conf, log } = load({
      '/etc/nginx.conf': 'include a;',
      '/etc/a': 'x;\ninclude b;',
      '/etc/b': 'include a;\ninclude nginx.conf; include c;',
      '/etc/c': '',
    });
    expect(log).toEqual([
      '[emerg] include cycle: /etc/a -> /etc/b -> /etc/a in /etc/b:1',
      '[emerg] include cycle: /etc/nginx.conf -> /etc/a -> /etc/b -> /etc/nginx.conf in /etc/b:2',
    ]);
    expect(conf.sources.length).toBe(4);
  });

  it('ends a chain of includes that is too long', () => {
    const files: Record<string, string> = { '/etc/nginx.conf': 'include f0;' };
    for (let i = 0; i < 150; i++) files[`/etc/f${i}`] = `include f${i + 1};`;
    const { log } = load(files);
    expect(log).toEqual(['[emerg] files include each other deeper than 100 levels in /etc/f98:1']);
  });

  it('takes include for an ordinary word in blocks that nginx reads without includes', () => {
    const { log } = load({
      '/etc/nginx.conf':
        'split_clients $a $b { include c; }\ncharset_map a b { include c; }\nmap $a $b { include c; }',
    });
    expect(log).toEqual([
      '[emerg] open() "/etc/c" failed (2: No such file or directory) in /etc/nginx.conf:3',
    ]);
  });

  it('leaves a malformed include to the checks', () => {
    const { conf, log } = load({ '/etc/nginx.conf': 'include; include a b; include a { }' });
    expect(log).toEqual([]);
    expect(conf.includes.size).toBe(0);
  });

  it('puts the directives of -g before those of the file', () => {
    const { conf, log } = load({ '/etc/nginx.conf': 'b;', '/etc/c': 'x' }, 'a; include c;');
    expect(conf.items.map((item) => item.kind === 'directive' && item.name)).toEqual(['a', 'include', 'b']);
    expect(log).toEqual(['[emerg] unexpected end of file, expecting ";" or "}" in /etc/c:1']);
  });

  it('sorts findings as nginx would come upon them', () => {
    const { log } = load({
      '/etc/nginx.conf': ';\ninclude s/*;\n;\ninclude missing;\n;',
      '/etc/s/1': ';\ninclude t;\n;',
      '/etc/s/2': ';',
      '/etc/t': ';',
    });
    expect(log.map((line) => line.replace(/^.* in \/etc\//, ''))).toEqual([
      'nginx.conf:1',
      's/1:1',
      't:1',
      's/1:3',
      's/2:1',
      'nginx.conf:3',
      'nginx.conf:4',
      'nginx.conf:5',
    ]);
  });
});
