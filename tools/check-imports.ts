// The folder import rules of ARCHITECTURE.md as a program: which room may import which, who may touch
// sockets, no module folder importing another, no cycles between files (but for types that
// refer to each other inside of one room). Type imports, `import('x')` types and re-exports count like any import. Whether an imported name exists is left to the compiler.
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

/** One room: a folder of src/, or a file at its top. A place is a room, or a folder or file inside of one. */
interface Room {
  name: string;
  /** The places it may import besides itself; `lower` stands for all rooms before it in the list. */
  mayImport: 'lower' | string[];
  /** Places out of reach even so. */
  except?: string[];
}

/** The rooms, lowest first. */
export const rooms: Room[] = [
  { name: 'core', mayImport: [] },
  { name: 'conf', mayImport: ['core'] },
  { name: 'variables', mayImport: ['core'] },
  { name: 'net', mayImport: ['core'] },
  { name: 'zones', mayImport: ['core'] },
  { name: 'log', mayImport: ['core'] },
  { name: 'metrics', mayImport: ['core', 'zones'] },
  { name: 'http', mayImport: ['core', 'net'] },
  { name: 'cache', mayImport: ['core', 'http/message', 'zones', 'log', 'metrics'] },
  { name: 'upstream', mayImport: ['core', 'net', 'http', 'zones', 'log', 'metrics'] },
  { name: 'request', mayImport: 'lower', except: ['conf'] },
  { name: 'stream', mayImport: ['core', 'net', 'variables', 'upstream', 'log', 'metrics'] },
  { name: 'modules', mayImport: 'lower' },
  { name: 'compile', mayImport: 'lower', except: ['modules/catalog.ts'] },
  { name: 'server', mayImport: 'lower' },
  { name: 'explain', mayImport: 'lower', except: ['server', 'modules/catalog.ts'] },
  { name: 'process', mayImport: 'lower' },
  { name: 'admin', mayImport: 'lower', except: ['process'] },
  { name: 'testing', mayImport: 'lower' },
  { name: 'index.ts', mayImport: 'lower' },
  { name: 'cli', mayImport: 'lower' },
];

/** Modules of Node or npm that have one home, and why. An exception is one more place, with its own reason. */
const reservedModules = [
  {
    modules: ['node:net', 'node:tls', 'node:dgram', 'node:dns', 'node:dns/promises'],
    home: 'net',
    reason: 'all else is tested with bytes alone',
    exceptions: [{ place: 'testing', reason: 'its clients and origins must not share the code under test' }],
  },
];

/** A source file; `path` is inside src/, with forward slashes. */
export interface SourceFile {
  path: string;
  text: string;
}

/** One broken rule; `line` counts from 1. */
export interface Offence {
  path: string;
  line: number;
  message: string;
}

/** What a check found. */
export interface ImportReport {
  fileCount: number;
  importCount: number;
  cycleCount: number;
  offences: Offence[];
}

interface Import {
  /** The importing file. */
  path: string;
  line: number;
  specifier: string;
  /** The imported file, inside src/ unless it starts with `../`; undefined for a builtin or a package. */
  target: string | undefined;
  /** Gone when the program runs. */
  isTypeOnly: boolean;
}

/** Checks a source tree. Tests (`*.test.ts`, and the suites in a `contract.ts`) may import anything. */
export function checkImports(files: SourceFile[]): ImportReport {
  const sources = files.filter((file) => !isTest(file.path));
  const imports = sources.flatMap(readImports);
  const offences: Offence[] = [];
  for (const { path } of sources) {
    if (roomOf(path) !== undefined) continue;
    offences.push({ path, line: 1, message: `is in no room; the rooms are ${nameAll(rooms)}` });
  }
  for (const one of imports) {
    const message = one.target === undefined ? judgeModule(one) : judgeFile(one.path, one.target);
    if (message !== undefined) offences.push({ path: one.path, line: one.line, message });
  }
  const cycles = findCycles(imports);
  offences.push(...cycles);
  return { fileCount: sources.length, importCount: imports.length, cycleCount: cycles.length, offences };
}

function isTest(path: string): boolean {
  return /(\.test|\/contract)\.ts$/.test(path);
}

function isInside(path: string, place: string): boolean {
  return path === place || path.startsWith(place + '/');
}

function roomOf(path: string): Room | undefined {
  return rooms.find((room) => isInside(path, room.name));
}

function nameAll(some: Room[]): string {
  return some.map((room) => room.name).join(', ');
}

/** What is wrong with importing a builtin or a package, if anything. */
function judgeModule({ path, specifier }: Import): string | undefined {
  const name = isBuiltin(specifier) && !specifier.startsWith('node:') ? `node:${specifier}` : specifier;
  const reserved = reservedModules.find((one) => one.modules.includes(name));
  if (reserved === undefined) return undefined;
  const places = [reserved.home, ...reserved.exceptions.map((one) => one.place)];
  if (places.some((place) => isInside(path, place))) return undefined;
  return `imports ${name}, which only ${places.join(', ')} may: ${reserved.reason}`;
}

/** What is wrong with importing a file of ours, if anything. */
function judgeFile(path: string, target: string): string | undefined {
  if (target.startsWith('../')) return `imports src/${target}: only what is in src/ is shipped`;
  if (isTest(target)) return `imports ${target}: tests are not shipped`;
  const room = roomOf(path);
  const targetRoom = roomOf(target);
  if (room === undefined || targetRoom === undefined) return undefined;
  const module = moduleFolderOf(path);
  const targetModule = moduleFolderOf(target);
  if (module !== undefined && targetModule !== undefined && module !== targetModule) {
    return `${module} imports ${target}: a module folder may not import another; move what they share down`;
  }
  if (room === targetRoom) return undefined;
  const places = room.mayImport === 'lower' ? lowerRooms(room) : room.mayImport;
  const isAllowed = places.some((place) => isInside(target, place));
  const isExcepted = room.except?.some((place) => isInside(target, place)) ?? false;
  return isAllowed && !isExcepted ? undefined : `${room.name} imports ${target}: ${describe(room, places)}`;
}

/** The folder of one module, such as `modules/http/proxy`. */
function moduleFolderOf(path: string): string | undefined {
  return /^modules\/(?:http|stream|core)\/[^/]+(?=\/)/.exec(path)?.[0];
}

function lowerRooms(room: Room): string[] {
  return rooms.slice(0, rooms.indexOf(room)).map((lower) => lower.name);
}

function describe({ name, except = [] }: Room, places: string[]): string {
  const allowed = places.filter((place) => !except.includes(place));
  const denied = except.filter((place) => !places.includes(place));
  const but = denied.length === 0 ? '' : ` but not ${denied.join(', ')}`;
  return `${name} may import ${allowed.length === 0 ? 'no other room' : allowed.join(', ')}${but}`;
}

/** One offence for each cycle, told as the shortest way from its first file back to itself. */
function findCycles(imports: Import[]): Offence[] {
  const importsOf = new Map<string, Import[]>(imports.map((one) => [one.path, []]));
  for (const one of imports) importsOf.get(one.path)!.push(one);
  const cycles: Offence[] = [];
  const told = new Set<string>();
  for (const path of [...importsOf.keys()].sort()) {
    if (told.has(path)) continue;
    const way = findWayBack(path, importsOf);
    if (way === undefined) continue;
    for (const one of way) told.add(one.path);
    const steps = [...way.map((one) => one.path), path].join(' -> ');
    const message = `import cycle ${steps}: move what they share into a file that both import`;
    cycles.push({ path, line: way[0].line, message });
  }
  return cycles;
}

function findWayBack(start: string, importsOf: Map<string, Import[]>): Import[] | undefined {
  const reachedBy = new Map<string, Import>();
  const queue = [start];
  for (const path of queue) {
    for (const one of importsOf.get(path) ?? []) {
      if (one.target === undefined || isWithinRoomType(one) || reachedBy.has(one.target)) continue;
      reachedBy.set(one.target, one);
      if (one.target === start) return traceBack(start, reachedBy);
      queue.push(one.target);
    }
  }
  return undefined;
}

/** Types may refer to each other inside of one room: a request has a location, which has handlers of requests. */
function isWithinRoomType({ path, target, isTypeOnly }: Import): boolean {
  return isTypeOnly && roomOf(path) === roomOf(target!);
}

function traceBack(start: string, reachedBy: Map<string, Import>): Import[] {
  const way: Import[] = [];
  let at = start;
  do {
    const one = reachedBy.get(at)!;
    way.unshift(one);
    at = one.path;
  } while (at !== start);
  return way;
}

/** Every import of a file in any form: statement, re-export, `import('x')` as value or as type. */
function readImports({ path, text }: SourceFile): Import[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      imports.push({
        path,
        line,
        specifier,
        target: resolveTarget(path, specifier),
        isTypeOnly: isTypeOnly(node),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

/** What a node imports, if it is an import. An `import(expression)` cannot be judged and is passed over. */
function specifierOf(node: ts.Node): string | undefined {
  let specifier: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier;
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    specifier = node.argument.literal;
  else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    specifier = node.arguments[0];
  }
  return specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return ts.isImportDeclaration(node) && node.importClause?.isTypeOnly === true;
}

function resolveTarget(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

function readSourceTree(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(posix.join(root, path), 'utf8') }));
}

if (process.argv[1] === import.meta.filename) {
  const report = checkImports(readSourceTree('src'));
  for (const { path, line, message } of report.offences) console.error(`src/${path}:${line}: ${message}`);
  const { fileCount, importCount, cycleCount } = report;
  console.log(`folder import rules: ${fileCount} files, ${importCount} imports, ${cycleCount} cycles`);
  if (report.offences.length > 0) process.exitCode = 1;
}
