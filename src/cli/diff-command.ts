/*
 * `sluice diff OLD NEW`: what a reload from one configuration to the other would change.
 */
import { checkLoadedConf } from '../compile/compile-conf.js';
import { describeChanges } from '../compile/conf-changes.js';
import { renderForPeople } from '../conf/diagnostics/render.js';
import { loadConf } from '../conf/load/load.js';
import type { Scope } from '../conf/schema/scope.js';
import { REGISTRY } from '../modules/registry.js';
import { confFilesOf } from '../process/conf-files.js';
import { diskConfReader } from '../process/disk-conf-reader.js';
import { say } from './say.js';
import { UsageError } from './usage-error.js';

/** Prints the changes. @returns 0 without any, 1 with some. Throws a UsageError when one can't be read. */
export function runDiff(before: string, after: string): number {
  const changes = describeChanges(readMain(before), readMain(after));
  process.stdout.write(changes.map((line) => `${line}\n`).join(''));
  return changes.length === 0 ? 0 : 1;
}

/** What is wrong with it is told. */
function readMain(file: string): Scope {
  const { path } = confFilesOf({ prefix: null, confFile: file, globals: null, errorLog: 'stderr' });
  const { main, diagnostics } = checkLoadedConf(loadConf(path, diskConfReader), REGISTRY);
  const wrong = diagnostics.filter(({ severity }) => severity === 'error');
  if (wrong.length === 0) return main;
  for (const diagnostic of wrong)
    say(renderForPeople(diagnostic, { withSource: process.stderr.isTTY === true }));
  throw new UsageError(
    `Cannot compare "${file}": mend what is wrong with it; sluice -t -c "${file}" checks it`,
  );
}
