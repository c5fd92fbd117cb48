// What Linux says of a process under /proc: processor time, memory, children. Nothing here starts
// or stops anything.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// USER_HZ, in which /proc/PID/stat and /proc/stat count, is 100 on every Linux platform Node runs on.
const tickNs = 10_000_000;

/** Processor time since the process began, of all its threads. */
export interface CpuTime {
  totalNs: number;
  /** Times in user and in kernel mode, exact to 10 ms only: for splitting the total, not for summing. */
  userNs: number;
  systemNs: number;
}

/** The process and its descendants, the process first; empty when it has ended. */
export function processTree(pid: number): number[] {
  const pids: number[] = [];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
      for (const child of children.split(' ')) if (child !== '') pids.push(...processTree(Number(child)));
    }
    pids.unshift(pid);
  } catch {
    // The process ended while it was read.
  }
  return pids;
}

/** Adds up the processor time of these processes. Throws when one of them has ended. */
export function readCpuTime(pids: readonly number[]): CpuTime {
  const time: CpuTime = { totalNs: 0, userNs: 0, systemNs: 0 };
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const onCpu = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0];
      time.totalNs += Number(onCpu);
    }
    // The second field, the command in parentheses, may hold spaces: count from behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    time.userNs += Number(fields[11]) * tickNs;
    time.systemNs += Number(fields[12]) * tickNs;
  }
  return time;
}

/** Time that a core was not idle since boot, whoever used it (the host's stolen time included). */
export function readCoreBusyNs(core: number): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`cpu${core} `));
  if (line === undefined)
    throw new Error(`Cannot read the load of core ${core}: /proc/stat does not list it`);
  const [user, nice, system, , , irq, softIrq, steal] = line.split(' ').slice(1).map(Number);
  return (user! + nice! + system! + irq! + softIrq! + steal!) * tickNs;
}

/** Resident memory of these processes now, in bytes. */
export function readResidentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readStatusBytes(pid, 'VmRSS'), 0);
}

/** The most resident memory that the process has had since `resetPeakResident`, in bytes. */
export function readPeakResidentBytes(pid: number): number {
  return readStatusBytes(pid, 'VmHWM');
}

/** Starts the measurement of the peak anew (man 5 proc: clear_refs, value 5). */
export function resetPeakResident(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function readStatusBytes(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null)
    throw new Error(`Cannot read "${field}" of process ${pid}: /proc/${pid}/status lacks it`);
  return Number(match[1]) * 1024;
}
