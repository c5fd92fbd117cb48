/*
 * What an answer must be like for its peer to be healthy (nginx Plus: match).
 */
import type { ResponseHead } from '../../http/h1/response-head.js';

/** Judges the head of an answer. */
export type HeadCondition = (head: ResponseHead) => boolean;

/** Judges the beginning of its body, as latin1 text. */
export type BodyCondition = (body: string) => boolean;

/** All must hold. */
export interface HealthMatch {
  readonly head: readonly HeadCondition[];
  /** None: the body isn't waited for. */
  readonly body: readonly BodyCondition[];
}

/** What counts unless something else is said: any status from 200 to 399. */
export const ANY_GOOD_STATUS: HealthMatch = {
  head: [({ status }) => status >= 200 && status < 400],
  body: [],
};
