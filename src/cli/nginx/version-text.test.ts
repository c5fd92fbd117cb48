import { expect, it } from 'vitest';
import { sampleRegistry } from '../../../test/sample-registry.js';
import { Registry } from '../../conf/schema/registry.js';
import { configureArguments, configureText } from './version-text.js';

it('-V names the modules whose directives are there, and those that nginx has unasked and we lack', () => {
  const names = configureArguments(sampleRegistry);
  expect(names).toEqual(
    expect.arrayContaining(['--with-stream', '--without-http_ssi_module', '--without-stream_map_module']),
  );
  expect(names).not.toContain('--without-http_gzip_module');
  expect(names).not.toContain('--with-http_sub_module');
});

it('-V says nothing of modules within stream where there is no stream', () => {
  expect(configureArguments(new Registry([])).filter((name) => name.includes('stream_map'))).toEqual([]);
});

it('-V says with which OpenSSL, and claims TLS only where there is some', () => {
  expect(configureText(new Registry([]))).toMatch(/^built with OpenSSL \d+\.\d+/m);
  expect(configureText(new Registry([]))).not.toContain('TLS SNI');
  expect(configureText(sampleRegistry)).toContain('TLS SNI support enabled\n');
});
