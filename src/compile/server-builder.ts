/*
 * From the `server {}` blocks of a configuration to virtual servers, with the tree of each one's locations.
 */
import { hostname } from 'node:os';
import { finding } from '../conf/diagnostics/catalogue.js';
import { Scope, type ScopeOpener } from '../conf/schema/scope.js';
import { toByteString } from '../conf/syntax/source-text.js';
import { regex } from '../conf/values/regex.js';
import { Refusal } from '../conf/values/value-type.js';
import * as core from '../modules/http/core/directives.js';
import { locationSettings, serverSettings } from '../modules/http/core/settings.js';
import { serverTls } from '../modules/http/ssl/server-tls.js';
import type { HttpModule } from '../modules/module.js';
import { Location } from '../request/location.js';
import type { LocationTree } from '../request/location-tree.js';
import type { VirtualServer } from '../request/virtual-server.js';
import type { HttpBuilder } from './http-builder.js';
import { nameOf, type PlacedServer } from './listen-points.js';
import { buildLocation, fillLocation, type LevelContext } from './location-builder.js';

/** All servers of `http {}`, in the order of the file. */
export function buildServers(
  http: Scope,
  builder: HttpBuilder,
  modules: readonly HttpModule[],
): PlacedServer[] {
  return http.own(core.server).map((directive) => {
    const scope = new Scope('server', http, directive, directive.block);
    return { scope, server: buildServer(scope, builder, modules) };
  });
}

function buildServer(scope: Scope, builder: HttpBuilder, modules: readonly HttpModule[]): VirtualServer {
  const server: VirtualServer = {
    settings: serverSettings(scope, firstName(scope)),
    tls: serverTls(scope, builder),
    base: new Location('server', '', locationSettings(scope, builder, null)),
    locations: builder.locationTree(),
    zone: null,
    allowsConnect: false,
  };
  const context = { builder, modules, server };
  fillLocation(context, scope, server.base);
  fillTree(server.locations, scope, context, null);
  return server;
}

/** The name that redirects and $server_name use. */
function firstName(scope: Scope): string {
  const name = scope.own(core.serverName)[0]?.values[0] ?? '';
  if (name === '$hostname') return hostname();
  return name.startsWith('.') ? nameOf(name.slice(1)) : nameOf(name);
}

/** How a location was written. */
interface WrittenPath {
  readonly sign: '' | '=' | '^~' | '~' | '~*' | '@';
  readonly path: string;
}

const SIGNS: ReadonlySet<string> = new Set(['=', '^~', '~', '~*']);

function readPath(first: string, second: string | undefined): WrittenPath | null {
  if (second !== undefined) {
    return SIGNS.has(first) ? { sign: first as WrittenPath['sign'], path: second } : null;
  }
  const glued = /^(=|\^~|~\*|~)([\s\S]*)$/.exec(first);
  if (glued !== null) return { sign: glued[1] as WrittenPath['sign'], path: glued[2]! };
  return { sign: first.startsWith('@') ? '@' : '', path: first };
}

/** Adds the locations of a block to its tree. `outer` is the location they stand in, as it was written. */
function fillTree(
  tree: LocationTree<Location>,
  scope: Scope,
  context: LevelContext,
  outer: { readonly location: Location; readonly written: WrittenPath } | null,
): void {
  for (const directive of scope.own(core.location)) {
    const { node } = directive;
    const written = readPath(...directive.values);
    if (written === null) {
      const message = `Cannot take "${directive.values[0]}" before a path`;
      const nginxText = `invalid location modifier "${directive.values[0]}"`;
      context.builder.report(node.args[0]!, finding('location', message, 'use =, ^~, ~ or ~*', nginxText));
      continue;
    }
    if (outer !== null && !mayNest(outer, written, directive, context)) continue;
    const inner = new Scope('location', scope, directive, directive.block);
    addLocation(tree, inner, written, context, outer?.location ?? context.server.base);
  }
}

function mayNest(
  outer: { readonly location: Location; readonly written: WrittenPath },
  written: WrittenPath,
  directive: ScopeOpener,
  context: LevelContext,
): boolean {
  const report = (message: string, nginxText: string) =>
    context.builder.report(directive.node, finding('nested-location', message, null, nginxText));
  const name = written.path;
  const { sign, path } = outer.written;
  if (sign === '=') {
    report(
      `location "${name}" can't be inside of the exact location "${path}"`,
      `location "${name}" cannot be inside the exact location "${path}"`,
    );
    return false;
  }
  if (sign === '@') {
    report(
      `location "${name}" can't be inside of the named location "${path}"`,
      `location "${name}" cannot be inside the named location "${path}"`,
    );
    return false;
  }
  if (written.sign === '@') {
    report(
      `named location "${name}" can be on the server level only`,
      `named location "${name}" can be on the server level only`,
    );
    return false;
  }
  const isPath = written.sign === '' || written.sign === '=' || written.sign === '^~';
  if (isPath && (sign === '' || sign === '^~') && !name.startsWith(path)) {
    report(
      `location "${name}" is outside of "${path}", in which it stands`,
      `location "${name}" is outside location "${path}"`,
    );
    return false;
  }
  return true;
}

function addLocation(
  tree: LocationTree<Location>,
  scope: Scope,
  written: WrittenPath,
  context: LevelContext,
  outer: Location,
): void {
  const path = toByteString(written.path);
  const { node } = scope.opener!;
  if (written.sign === '~' || written.sign === '~*') {
    addRegexLocation(tree, scope, written, context, outer);
    return;
  }
  const kind = written.sign === '@' ? 'named' : written.sign === '=' ? 'exact' : 'prefix';
  const location = buildLocation(context, scope, kind, path, outer);
  const nested = buildNested(scope, location, written, context);
  if (kind === 'named') {
    tree.addNamed(path, location);
    return;
  }
  const hasAutoRedirect = location.hasAutoRedirect && path.endsWith('/') && path.length > 1;
  const isAdded =
    kind === 'exact'
      ? tree.addExact(path, { location, hasAutoRedirect })
      : tree.addPrefix(path, { location, hasAutoRedirect, stopsRegexes: written.sign === '^~', nested });
  if (isAdded) return;
  const nginxText = `duplicate location "${written.path}"`;
  context.builder.report(node, finding('duplicate-location', nginxText, 'keep one of them', nginxText));
}

function addRegexLocation(
  tree: LocationTree<Location>,
  scope: Scope,
  written: WrittenPath,
  context: LevelContext,
  outer: Location,
): void {
  const parsed = regex({ isCaseless: written.sign === '~*' }).parse(written.path);
  const { node } = scope.opener!;
  if (parsed instanceof Refusal) {
    const word = node.args[node.args.length - 1]!;
    context.builder.report(word, finding('location', parsed.message, null, parsed.nginxText('location')));
    return;
  }
  const requestRegex = context.builder.regex(parsed, node);
  const location = buildLocation(context, scope, 'regex', toByteString(written.path), outer);
  location.regex = requestRegex;
  const nested = buildNested(scope, location, written, context);
  tree.addRegex({ location, regex: requestRegex.regexp, nested });
}

function buildNested(
  scope: Scope,
  location: Location,
  written: WrittenPath,
  context: LevelContext,
): LocationTree<Location> | null {
  if (scope.own(core.location).length === 0) return null;
  location.nested = context.builder.locationTree();
  fillTree(location.nested, scope, context, { location, written });
  return location.nested;
}
