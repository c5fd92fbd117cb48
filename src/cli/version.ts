/*
 * Sluice's version, which has one home: package.json.
 */
import { readFileSync } from 'node:fs';

/** "0.1.0". */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
