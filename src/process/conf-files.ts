/*
 * Which files a command line means: the configuration, the folder that relative paths start from, the first error log.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What nginx's command line says of files. */
export interface ConfFiles {
  /** The main file. */
  readonly path: string;
  /** Where relative paths start; ends in a slash. */
  readonly prefix: string;
  /** `-g` */
  readonly commandLine: string;
  /** `-e`, or what stands for it: the log until the configuration says where, and where it says nothing. */
  readonly errorLog: string;
}

/** The options that are about files; null for one that was not given. */
export interface FileOptions {
  readonly prefix: string | null;
  readonly confFile: string | null;
  readonly globals: string | null;
  readonly errorLog: string | null;
}

/** Where distributions of nginx have it. */
const DEFAULT_CONF = '/etc/nginx/nginx.conf';

/**
 * With -p everything is as in nginx. differs from nginx: there is no prefix from when it was built, so without -p the
 * folder of the configuration is the prefix, and a relative -c starts from where one is.
 */
export function confFilesOf(options: FileOptions): ConfFiles {
  const { prefix, path } =
    options.prefix === null ? withoutPrefix(options) : withPrefix(options.prefix, options);
  return { prefix, path, commandLine: options.globals ?? '', errorLog: errorLogOf(options.errorLog, prefix) };
}

function withPrefix(folder: string, { confFile }: FileOptions): { prefix: string; path: string } {
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  const file = confFile ?? 'conf/nginx.conf';
  return { prefix, path: file.startsWith('/') ? file : prefix + file };
}

function withoutPrefix({ confFile }: FileOptions): { prefix: string; path: string } {
  const path = confFile === null ? DEFAULT_CONF : resolve(confFile);
  return { prefix: `${dirname(path)}/`, path };
}

/** differs from nginx: without a folder for logs the terminal gets them, instead of an error. */
function errorLogOf(given: string | null, prefix: string): string {
  if (given !== null) return given;
  return existsSync(`${prefix}logs`) ? 'logs/error.log' : 'stderr';
}

/** A path of the configuration made absolute, or relative to where the process is if the prefix is. */
export function fromPrefix(path: string, prefix: string): string {
  return path.startsWith('/') ? path : prefix + path;
}
