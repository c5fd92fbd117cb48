/*
 * The API for other modules that have it below a place of theirs: they say where and who may, the api module answers.
 */
import type { PhaseHandler } from '../request/phase.js';
import { BuildKey, type LocationBuild } from './module.js';

/** Where calls come in. */
export interface ApiPlace {
  /** Whether servers may be changed. */
  readonly mayWrite: boolean;
  /** How much of a request's path is before the API's version; -1: all up to the first number. */
  readonly pathLength: number;
}

/** Makes what answers calls. */
export type ApiMaker = (build: LocationBuild, place: ApiPlace) => PhaseHandler;

/** Set before any location is built; null where there is no API at all. */
export const API: BuildKey<{ make: ApiMaker | null }> = new BuildKey('api', () => ({ make: null }));
