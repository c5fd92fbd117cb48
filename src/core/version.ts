/*
 * Sluice's version, which has one home: package.json; and that of the nginx whose behaviour it has.
 */
import { existsSync, readFileSync } from 'node:fs';

/** Beside `dist/` or `src/`; the project's own tools are compiled one folder deeper. */
const [home] = ['../../package.json', '../../../package.json']
  .map((path) => new URL(path, import.meta.url))
  .filter((url) => existsSync(url));

/** "0.1.0". */
export const version: string = (JSON.parse(readFileSync(home!, 'utf8')) as { version: string }).version;

/** The nginx whose behaviour is the reference. */
export const NGINX_VERSION = '1.31.5';
