// The two kinds of load: as many requests as the proxy takes (wrk), and so many a second (h2load).

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseH2loadOutput } from './h2load-report.js';
import type { LoadReport } from './load-report.js';
import type { ProcessGroup } from './processes.js';
import type { Workload } from './workloads.js';
import { buildWrkScript, parseWrkOutput } from './wrk-report.js';

/** The core that load and origin share. */
export const loadCore = 1;

/** How much longer h2load waits for answers than they should take. */
const patienceSeconds = 10;

/** Sends the requests of one workload to a port of 127.0.0.1, over so many connections. */
export interface Load {
  readonly workload: Workload;
  run(port: number, connections: number, seconds: number): Promise<LoadReport>;
}

/** Each connection asks again as soon as it was answered. */
export class WrkLoad implements Load {
  readonly workload: Workload;
  private readonly processes: ProcessGroup;
  private readonly cores: readonly number[];
  private readonly script: string;

  constructor(
    processes: ProcessGroup,
    workload: Workload,
    folder: string,
    cores: readonly number[] = [loadCore],
  ) {
    this.processes = processes;
    this.workload = workload;
    this.cores = cores;
    this.script = `${folder}${workload.name}.lua`;
    writeFileSync(this.script, buildWrkScript(workload));
  }

  async run(port: number, connections: number, seconds: number): Promise<LoadReport> {
    const url = `http://127.0.0.1:${port}${this.workload.path}`;
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', this.script, url];
    return parseWrkOutput(await this.processes.run({ name: 'wrk', command: 'wrk', args }, this.cores));
  }
}

/** All connections together ask so often, whatever the answers take. */
export class SteadyLoad implements Load {
  readonly workload: Workload;
  private readonly processes: ProcessGroup;
  private readonly folder: string;
  private readonly requestsPerSecond: number;

  constructor(processes: ProcessGroup, workload: Workload, folder: string, requestsPerSecond: number) {
    this.processes = processes;
    this.workload = workload;
    this.folder = folder;
    this.requestsPerSecond = requestsPerSecond;
  }

  async run(port: number, connections: number, seconds: number): Promise<LoadReport> {
    const { path, upBytes } = this.workload;
    const log = `${this.folder}h2load.log`;
    const args = [
      '--h1',
      '-t1',
      `-c${connections}`,
      `-n${Math.round(this.requestsPerSecond * seconds)}`,
      `--rps=${this.requestsPerSecond / connections}`,
      `--log-file=${log}`,
      `--connection-active-timeout=${seconds + patienceSeconds}s`,
      ...(upBytes > 0 ? [`-d${this.bodyFile(upBytes)}`] : []),
      `http://127.0.0.1:${port}${path}`,
    ];
    // It is appended to.
    rmSync(log, { force: true });
    const output = await this.processes.run({ name: 'h2load', command: 'h2load', args }, loadCore);
    return parseH2loadOutput(output, readFileSync(log, 'utf8'));
  }

  private bodyFile(bytes: number): string {
    const file = `${this.folder}body-${bytes}`;
    if (!existsSync(file)) writeFileSync(file, Buffer.alloc(bytes, 'x'));
    return file;
  }
}
