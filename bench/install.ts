// Brings what a run needs and the machine lacks: Debian packages (no service of theirs is started), the
// Node peers from npm, and the Node binary that performance is measured on.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { peersFolder } from './paths.js';

/** The newest LTS line of Node: what is said about performance is said about this one. */
const newestLts = '26';

const servicePolicyFile = '/usr/sbin/policy-rc.d';

/** Installs those of the Debian packages whose program, named like the package, is not there. */
export function installDebianPackages(packages: readonly string[], log: (line: string) => void): void {
  const missing = packages.filter((name) => spawnSync('which', [name]).status !== 0);
  if (missing.length === 0) return;
  log(`installing ${missing.join(', ')}`);
  // Debian asks this file before a package may start its service; 101 means no.
  const isPolicyOurs = !existsSync(servicePolicyFile);
  if (isPolicyOurs) writeFileSync(servicePolicyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing]);
  } finally {
    if (isPolicyOurs) rmSync(servicePolicyFile);
  }
}

/** Installs the Node peers as their lock file says, unless they are there. */
export function installNodePeers(log: (line: string) => void): void {
  const installed = `${peersFolder}node_modules/.package-lock.json`;
  const lock = readFileSync(`${peersFolder}package-lock.json`, 'utf8');
  if (existsSync(installed) && isInstalled(readFileSync(installed, 'utf8'), lock)) return;
  log('installing the Node peers');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], peersFolder);
}

/** Path of the binary of the newest LTS, from npm's `node` package. */
export function findNewestLts(): string {
  const args = ['exec', '--yes', '--prefer-offline', `--package=node@${newestLts}`];
  return run('npm', [...args, '--', 'node', '-p', 'process.execPath']).trim();
}

/** Whether npm's record of what is installed names every version that the lock file names. */
function isInstalled(installedText: string, lockText: string): boolean {
  const installed = JSON.parse(installedText).packages;
  const wanted: [string, { version: string }][] = Object.entries(JSON.parse(lockText).packages);
  return wanted.every(([path, { version }]) => path === '' || installed[path]?.version === version);
}

function run(command: string, args: readonly string[], cwd?: string): string {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`Cannot run "${command} ${args.join(' ')}": ${error?.message ?? stderr}`);
}
