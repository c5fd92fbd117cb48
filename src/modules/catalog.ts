/*
 * The built-in modules of `http {}`, in the order their handlers run within a phase: nginx's.
 */
import { coreModule } from './http/core/core.js';
import type { HttpModule } from './module.js';

/** One line a module. What comes first is asked first. */
export const HTTP_MODULES: readonly HttpModule[] = [coreModule];
