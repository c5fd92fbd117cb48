/*
 * `sluice explain URL -c nginx.conf`: what a configuration does with a request, and why.
 */
import { renderForPeople } from '../conf/diagnostics/render.js';
import { loadConf } from '../conf/load/load.js';
import { parseSizeBytes } from '../core/size.js';
import { explain } from '../explain/explain.js';
import { type Question, QuestionError } from '../explain/question.js';
import { confFilesOf } from '../process/conf-files.js';
import { diskConfReader, probeFile } from '../process/disk-conf-reader.js';
import { BUILT_IN } from '../server/start-proxy.js';
import { explanationText } from './explain/explanation-text.js';
import { say } from './say.js';
import { UsageError } from './usage-error.js';

/** What may be given to it. */
export interface ExplainOptions {
  readonly conf?: string;
  readonly prefix?: string;
  readonly method?: string;
  readonly header?: readonly string[];
  readonly body?: string;
  readonly from?: string;
  readonly json?: boolean;
}

/** A larger body is not made up to find out what becomes of it. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/**
 * Prints the explanation.
 * @returns 0, or 1 when the configuration can't be used. Throws a UsageError for what can't be asked.
 */
export async function runExplain(url: string, options: ExplainOptions): Promise<number> {
  const { path, prefix } = confFilesOf({
    prefix: options.prefix ?? null,
    confFile: options.conf ?? null,
    globals: null,
    errorLog: 'stderr',
  });
  const confPrefix = path.slice(0, path.lastIndexOf('/') + 1);
  const question: Question = {
    url,
    method: options.method ?? 'GET',
    fields: options.header ?? [],
    from: options.from ?? '127.0.0.1',
    bodyBytes: options.body === undefined ? -1 : bodyBytesOf(options.body),
  };
  const checks = { probeFile: (file: string) => probeFile(file.startsWith('/') ? file : confPrefix + file) };
  try {
    const conf = loadConf(path, diskConfReader);
    const { explanation, diagnostics } = await explain(
      conf,
      BUILT_IN,
      { prefix, confPrefix },
      question,
      checks,
    );
    if (explanation === null) {
      const withSource = process.stderr.isTTY === true;
      for (const diagnostic of diagnostics) say(renderForPeople(diagnostic, { withSource }));
      say(`Cannot use "${path}"; sluice -t -c "${path}" checks it`);
      return 1;
    }
    const isPlain = process.stdout.isTTY !== true || process.env.NO_COLOR !== undefined;
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify(explanation, null, 2)}\n`
        : explanationText(explanation, { folder: confPrefix, hasColours: !isPlain }),
    );
    return 0;
  } catch (error) {
    if (error instanceof QuestionError) throw new UsageError(error.message);
    throw error;
  }
}

function bodyBytesOf(text: string): number {
  let bytes: number;
  try {
    bytes = parseSizeBytes(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (bytes > MAX_BODY_BYTES) throw new UsageError(`Cannot use "-d ${text}": at most 256m can be tried`);
  return bytes;
}
