/*
 * A loaded configuration to a cycle: checked, completed where it is a fragment, built.
 */

import type { Diagnostic } from '../conf/diagnostics/diagnostic.js';
import type { Conf } from '../conf/load/load.js';
import { sortDiagnostics } from '../conf/load/order.js';
import { type CheckOptions, checkConf } from '../conf/schema/check.js';
import { detectContext, wrapFragment } from '../conf/schema/fragment.js';
import type { Registry } from '../conf/schema/registry.js';
import type { Scope } from '../conf/schema/scope.js';
import type { HttpModule } from '../modules/module.js';
import { buildCycle, type Cycle, mainScope } from './cycle.js';
import type { BuildEnvironment } from './environment.js';

/** What a configuration can say, and who makes something of it. */
export interface Language {
  readonly registry: Registry;
  readonly modules: readonly HttpModule[];
}

/** A configuration that was checked, with what serves it unless there are errors. */
export interface CompiledConf {
  readonly main: Scope;
  readonly cycle: Cycle | null;
  /** In the order nginx would come upon them; warnings among them. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A configuration that was checked, as it is completed where it is a fragment. */
export interface CheckedConf {
  readonly conf: Conf;
  readonly main: Scope;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks alone: nothing is built or opened. */
export function checkLoadedConf(loaded: Conf, registry: Registry, options: CheckOptions = {}): CheckedConf {
  const conf = wrapFragment(loaded, detectContext(loaded, registry));
  const { directives, diagnostics } = checkConf(conf, registry, options);
  return { conf, main: mainScope(directives), diagnostics };
}

/** Checks and builds. Throws an Error with the reason when a log can't be opened. */
export function compileConf(
  loaded: Conf,
  { registry, modules }: Language,
  environment: BuildEnvironment,
  options: CheckOptions = {},
): CompiledConf {
  const { conf, main, diagnostics: found } = checkLoadedConf(loaded, registry, options);
  if (found.some(({ severity }) => severity === 'error')) return { main, cycle: null, diagnostics: found };
  const built = buildCycle(main, modules, environment);
  const diagnostics = sortDiagnostics([...found, ...built.diagnostics], conf);
  return { main, cycle: built.cycle, diagnostics };
}
