/*
 * The zones of a configuration by name, whoever uses them: as in nginx they share one space of names.
 */
import { finding } from '../conf/diagnostics/catalogue.js';
import type { Directive } from '../conf/syntax/ast.js';
import { BuildKey, type HttpBuild } from './module.js';

interface DeclaredZone {
  readonly user: string;
  readonly bytes: number;
}

const ZONES = new BuildKey('zones', () => new Map<string, DeclaredZone>());

/**
 * Takes a name for a zone. False, and an error at the directive, if it is taken by another kind of user or with
 * another size; one may take the same again.
 * @param user what the zone is for, such as `limit_req`
 */
export function declareZone(
  build: HttpBuild,
  at: Directive,
  user: string,
  name: string,
  bytes: number,
): boolean {
  const zones = build.shared(ZONES);
  const known = zones.get(name);
  if (known === undefined) {
    zones.set(name, { user, bytes });
    return true;
  }
  if (known.user === user && known.bytes === bytes) return true;
  const nginxText =
    known.user === user
      ? `the size ${bytes} of shared memory zone "${name}" conflicts with already declared size ${known.bytes}`
      : `the shared memory zone "${name}" is already declared for a different use`;
  const message =
    known.user === user
      ? `zone "${name}" has ${known.bytes} bytes elsewhere, and ${bytes} here`
      : `zone "${name}" is used by ${known.user} already`;
  build.report(at, finding('zone-conflict', message, 'give it another name', nginxText));
  return false;
}

/** Reports a zone that is used and nowhere declared. `directive` is the one that would declare it. */
export function reportUnknownZone(build: HttpBuild, at: Directive, name: string, directive: string): void {
  const nginxText = `zero size shared memory zone "${name}"`;
  const hint = `declare it with ${directive}`;
  build.report(at, finding('unknown-zone', `there is no zone "${name}"`, hint, nginxText));
}

/** Reports a `zone=` that is missing or has no name. */
export function reportMissingZone(build: HttpBuild, at: Directive): void {
  const nginxText = `"${at.name}" must have "zone" parameter`;
  build.report(at, finding('missing-zone', `"${at.name}" needs a zone`, 'add zone=NAME', nginxText));
}

/** A zone that is carried from one configuration to the next. */
interface CarriedZone<T> {
  /** What its records are kept by, as written: with another text they would mean nothing. */
  readonly keyText: string;
  readonly state: T;
}

/**
 * The state behind a declared zone: that of the configuration before if its size is the same. Null, and an error at the
 * directive, if its records had another key there.
 * @param user as in declareZone
 */
export function carryZone<T>(
  build: HttpBuild,
  at: Directive,
  user: string,
  { name, bytes }: { readonly name: string; readonly bytes: number },
  make: (memory: SharedArrayBuffer) => T,
): T | null {
  const keyText = at.args[0]!.text;
  // Asked for each time, so that it is among what the next configuration takes over.
  const memory = build.sharedMemory(user, name, bytes);
  const zone = build.carried<CarriedZone<T>>(user, `${name}:${bytes}`, () => ({
    keyText,
    state: make(memory),
  }));
  if (zone.keyText === keyText) return zone.state;
  const nginxText = `${user} "${name}" uses the "${keyText}" key while previously it used the "${zone.keyText}" key`;
  const message = `zone "${name}" was kept by "${zone.keyText}" before, and can't go on with "${keyText}"`;
  build.report(at, finding('zone-key', message, 'give it another name', nginxText));
  return null;
}
