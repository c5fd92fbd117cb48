import { describe, expect, it } from 'vitest';
import { sampleRegistry } from '../../../test/sample-registry.js';
import { loadConf } from '../../conf/load/load.js';
import { type Survey, surveyConf } from './survey.js';
import { surveyText } from './survey-text.js';

function survey(files: Readonly<Record<string, string>>): Survey {
  const reader = {
    readFile: (path: string) => files[path] ?? { code: 'ENOENT', number: 2 },
    listFolder: () => null,
  };
  return surveyConf(loadConf('nginx.conf', reader), sampleRegistry, {});
}

const MIXED = {
  'nginx.conf': 'user www;\nhttp {\n  sendfile on;\n  include more.conf;\n  gzip maybe;\n}\n',
  'more.conf': 'xslt_stylesheet a.xsl;\nserver { proxy_pas http://a; }\n',
};

describe('a survey', () => {
  it('tells apart what works, has no effect, is missing and is wrong, in all files', () => {
    const { files, counts, findings } = survey(MIXED);
    expect(files).toEqual(['nginx.conf', 'more.conf']);
    expect(counts).toEqual({ supported: 3, different: 0, 'without effect': 1, missing: 1, wrong: 2 });
    expect(
      findings.map(({ status, file, line, column, directive }) => [status, file, line, column, directive]),
    ).toEqual([
      ['without effect', 'nginx.conf', 3, 3, 'sendfile'],
      ['wrong', 'nginx.conf', 5, 8, null],
      ['missing', 'more.conf', 1, 1, 'xslt_stylesheet'],
      ['wrong', 'more.conf', 2, 10, null],
    ]);
  });

  it('says where a missing directive comes from and what would help with a wrong one', () => {
    const text = surveyText(survey(MIXED));
    expect(text).toContain('  more.conf:1:1 xslt_stylesheet (ngx_http_xslt_filter_module)\n');
    expect(text).toContain('  more.conf:2:10 unknown directive "proxy_pas"; did you mean "proxy_pass"?\n');
    expect(text).toMatch(/^nginx\.conf and 1 more file: 7 directives\n/);
    expect(text).toMatch(/Sluice cannot serve this configuration yet\.\n$/);
  });

  it('is content with a configuration that it can serve', () => {
    const { counts, findings } = survey({ 'nginx.conf': 'http { server { listen 80; } }' });
    expect([counts.supported, findings]).toEqual([3, []]);
    expect(surveyText(survey({ 'nginx.conf': 'events { }' }))).toContain(
      'Sluice can serve this configuration.',
    );
  });

  it('does not count the blocks that it puts around a fragment', () => {
    expect(survey({ 'nginx.conf': 'server { listen 80; }' }).counts.supported).toBe(2);
  });

  it('tells of a file that is not there', () => {
    const { findings } = survey({});
    expect(findings).toEqual([expect.objectContaining({ status: 'wrong', line: 0 })]);
    expect(surveyText(survey({}))).toBe(
      'There is nothing to look at: cannot open "nginx.conf": No such file or directory\n',
    );
  });
});
