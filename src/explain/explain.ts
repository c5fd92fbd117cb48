/*
 * Tells what becomes of a request: a configuration is compiled as the server does it, the request is served by it in
 * memory, and whoever takes part in that tells the trace. Nothing is listened on, sent, logged or changed on disk.
 */
import type { CompiledConf, Language } from '../compile/compile-conf.js';
import type { Conf } from '../conf/load/load.js';
import type { CheckOptions } from '../conf/schema/check.js';
import { parseIpAddress } from '../core/ip-address.js';
import { describe } from './describe.js';
import type { Explanation } from './explanation.js';
import { chooseListener } from './listener-choice.js';
import { headOf, type Question, QuestionError, readUrl } from './question.js';
import { type ExplainFiles, Scene } from './scene.js';

/** What comes of it: an explanation, or what is wrong with the configuration. */
export interface Explained {
  readonly explanation: Explanation | null;
  readonly diagnostics: CompiledConf['diagnostics'];
}

/** Explains it. Throws a QuestionError for what can't be asked, or not of this configuration. */
export async function explain(
  conf: Conf,
  language: Language,
  files: ExplainFiles,
  question: Question,
  options: CheckOptions = {},
): Promise<Explained> {
  const url = readUrl(question.url);
  const head = headOf(question, url);
  if (parseIpAddress(question.from) === null)
    throw new QuestionError(`Cannot ask from "${question.from}": it is no IP address`);
  const scene = new Scene();
  const { cycle, diagnostics } = scene.compile(conf, language, files, options);
  if (cycle === null) return { explanation: null, diagnostics };
  try {
    const listened = chooseListener(cycle.sockets, url, question.url);
    const client = await scene.serve(cycle, listened.point, question, head, url);
    if (scene.defects.length > 0) throw scene.defects[0];
    return { explanation: describe({ question, head, client, listened, scene }), diagnostics };
  } finally {
    await cycle.close();
    scene.wheel.close();
  }
}
