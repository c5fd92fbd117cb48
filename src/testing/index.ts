/*
 * The published test kit.
 */

export { FakeClock } from './fake-clock.js';
