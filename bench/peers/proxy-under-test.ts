// What the benchmark asks of a proxy, its own and its peers: one file a proxy beside this one, with
// the configuration in it. All of them get the same work: one thread, keepalive to the upstream, no
// access log, bodies streamed and never written to disk, Host passed on, and X-Forwarded-For, -Proto
// and -Host set.

import type { Program } from '../processes.js';

/** What a proxy gets when it is started. */
export interface StartOptions {
  listenPort: number;
  /** Port on 127.0.0.1 of its only upstream. */
  upstreamPort: number;
  /** Folder of this run, ending in a slash, for configuration files. */
  folder: string;
  /** Node binary for the proxies written in JavaScript. */
  node: string;
}

/** One proxy that the benchmark measures. */
export interface ProxyUnderTest {
  name: string;
  /** Proxies on node:http, whose best is the second yardstick after nginx. */
  isNodePeer: boolean;
  /** Debian package that brings the program, or undefined. */
  debianPackage: string | undefined;
  /** Writes the configuration and returns the command line that serves it in the foreground. */
  prepare(options: StartOptions): Program;
  /** Its version, for the report. */
  readVersion(): string;
}
