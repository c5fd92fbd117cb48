import { describe, expect, it } from 'vitest';
import {
  compareEntries,
  type HtmlStyle,
  type ListedEntry,
  listAsHtml,
  listAsJson,
  listAsJsonp,
  listAsXml,
} from './listing.js';

const MODIFIED = 1_577_934_245; // Thu, 02 Jan 2020 03:04:05 GMT

function file(name: string, size = 42): ListedEntry {
  return { name, kind: 'file', size, modified: MODIFIED };
}

function folder(name: string): ListedEntry {
  return { name, kind: 'directory', size: 4096, modified: MODIFIED };
}

const PLAIN: HtmlStyle = { isExactSize: true, isLocalTime: false, isUtf8: false };

/** The line of one entry, without its line end. */
function line(entry: ListedEntry, style: Partial<HtmlStyle> = {}): string {
  return listAsHtml('/', [entry], { ...PLAIN, ...style }).split('\r\n')[4]!;
}

describe('a listing', () => {
  it('has folders first, then names by their bytes', () => {
    const entries = [file('b'), file('B'), folder('z'), file('\xff'), folder('a'), file('a')];
    expect(entries.sort(compareEntries).map(({ name }) => name)).toEqual(['a', 'z', 'B', 'a', 'b', '\xff']);
  });

  it('in HTML is a page with a link a line', () => {
    expect(listAsHtml('/a<b>/', [folder('d'), file('f')], PLAIN)).toBe(
      '<html>\r\n<head><title>Index of /a&lt;b&gt;/</title></head>\r\n<body>\r\n<h1>Index of /a&lt;b&gt;/</h1>' +
        '<hr><pre><a href="../">../</a>\r\n' +
        `<a href="d/">d/</a>${' '.repeat(48)} 02-Jan-2020 03:04                   -\r\n` +
        `<a href="f">f</a>${' '.repeat(49)} 02-Jan-2020 03:04                  42\r\n` +
        '</pre><hr></body>\r\n</html>\r\n',
    );
  });

  it('in HTML escapes names for links and for reading', () => {
    expect(line(file('a b?#%"<&>é:'))).toContain(
      '<a href="a%20b%3F%23%25%22%3C%26%3E%E9%3A">a b?#%&quot;&lt;&amp;&gt;é:</a>',
    );
  });

  it.each([
    ['x'.repeat(50), 'x'.repeat(50), '</a> 02'],
    ['x'.repeat(51), 'x'.repeat(47), '..&gt;</a> 02'],
    ['<'.repeat(51), '&lt;'.repeat(47), '..&gt;</a> 02'],
  ])('in HTML cuts names longer than 50: %s', (name, shown, behind) => {
    expect(line(file(name))).toContain(`>${shown}${behind}`);
  });

  it('in HTML counts characters where the charset is UTF-8', () => {
    const name = Buffer.from('ф'.repeat(30)).toString('latin1');
    expect(line(file(name), { isUtf8: true })).toContain(`>${name}</a>${' '.repeat(20)} 02`);
    expect(line(file(name))).toContain(`>${name.slice(0, 47)}..&gt;</a> 02`);
    const long = Buffer.from('ф'.repeat(60)).toString('latin1');
    expect(line(file(long), { isUtf8: true })).toContain(`>${long.slice(0, 94)}..&gt;</a> 02`);
  });

  it.each([
    [0, '      0'],
    [9999, '   9999'],
    [10_000, '    10K'],
    [1024 * 1024 - 1, '  1024K'],
    [1024 * 1024 * 1.5, '     2M'],
    [5 * 1024 ** 3, '     5G'],
  ])('in HTML rounds a size of %d to %s', (size, shown) => {
    expect(line(file('f', size), { isExactSize: false }).endsWith(` 03:04 ${shown}`)).toBe(true);
  });

  it('in JSON has kinds, times, and sizes of files', () => {
    expect(listAsJson([folder('d'), file('a"\\\n\x01')])).toBe(
      '[\r\n{ "name":"d", "type":"directory", "mtime":"Thu, 02 Jan 2020 03:04:05 GMT" },' +
        '\r\n{ "name":"a\\"\\\\\\n\\u0001", "type":"file", "mtime":"Thu, 02 Jan 2020 03:04:05 GMT", "size":42 }\r\n]',
    );
    expect(listAsJsonp([], 'show')).toBe('/* callback */\r\nshow([\r\n]);');
  });

  it('in XML has the same', () => {
    const socket: ListedEntry = { name: 's', kind: 'other', size: 0, modified: MODIFIED };
    expect(listAsXml([folder('d'), file('<f>'), socket])).toBe(
      '<?xml version="1.0"?>\r\n<list>\r\n' +
        '<directory mtime="2020-01-02T03:04:05Z">d</directory>\r\n' +
        '<file mtime="2020-01-02T03:04:05Z" size="42">&lt;f&gt;</file>\r\n' +
        '<other mtime="2020-01-02T03:04:05Z">s</other>\r\n</list>\r\n',
    );
  });
});
