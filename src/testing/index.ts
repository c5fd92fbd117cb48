/*
 * The published test kit.
 */

export { FakeClock } from './fake-clock.js';
export { RawClient } from './raw-client.js';
export { RawMessage } from './raw-message.js';
export { answering, type OriginScript, RawOrigin } from './raw-origin.js';
export { ConnectionGone, RawSocket } from './raw-socket.js';
export { RecordingSink } from './recording-sink.js';
export { startTestConf, type TestConf, type TestConfOptions } from './test-conf.js';
export { startTestProxy, type TestProxy, type TestProxyOptions } from './test-proxy.js';
