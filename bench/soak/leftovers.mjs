// Loaded into sluice before its own code (node --expose-gc --import), for the soak: on SIGPWR, which no proxy uses, it
// collects all garbage and writes what is left to the file that SOAK_REPORT names: memory, what keeps the process
// alive, and how many objects there are of those that come and go with connections.

import { renameSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { getHeapCodeStatistics, queryObjects } from 'node:v8';

/** Modules of dist/ and the class in each that is counted. */
const counted = {
  'net/connection.js': 'Connection',
  'core/timer-wheel.js': 'Deadline',
  'request/connection-loop.js': 'ConnectionLoop',
  'request/http-request.js': 'HttpRequest',
  'upstream/upstream-connection.js': 'UpstreamConnection',
};

process.on('SIGPWR', () => void report());

async function report() {
  const path = process.env.SOAK_REPORT;
  const text = JSON.stringify(await look());
  // Renamed, so that nobody reads half of it.
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** The `Leftovers` of run-soak.ts. */
async function look() {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('Cannot collect garbage: start Node with --expose-gc');
  const objects = { Socket: queryObjects(Socket, { format: 'count' }) };
  for (const [path, name] of Object.entries(counted)) {
    const module = await import(new URL(`../../dist/${path}`, import.meta.url).href);
    objects[name] = queryObjects(module[name], { format: 'count' });
  }
  // Twice: what a finaliser lets go of in the first is free in the second.
  for (let pass = 0; pass < 2; pass++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  // V8 goes on compiling for as long as there is work: 1.2 MB in 80,000 connections, in which no object was added.
  const { code_and_metadata_size: code, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
  const handles = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  return { heapBytes: heapUsed - code - bytecode, bufferBytes: arrayBuffers, handles, objects };
}
