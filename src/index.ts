/*
 * The library: what a Node program imports as "sluice".
 */
export type { ProxyOptions, ProxyTimeouts } from './compile/proxy-options.js';
export type { LogLevel } from './log/error-log.js';
export { type Address, formatAddress, parseAddress } from './net/address.js';
export { ListenError, type ProxyServer } from './server/proxy-server.js';
export { startProxy } from './server/start-proxy.js';
export type { PeerOptions } from './upstream/peer.js';
