/*
 * All directives that there are: those of the main level and those of modules.
 */
import { Registry } from '../conf/schema/registry.js';
import { HTTP_MODULES } from './catalog.js';
import { MAIN_DIRECTIVES } from './core/directives.js';

/** Of the built-in modules. Made once: it is only read. */
export const REGISTRY: Registry = new Registry([
  ...MAIN_DIRECTIVES,
  ...HTTP_MODULES.flatMap((module) => module.directives),
]);
