/*
 * What Sluice makes of a configuration, directive by directive: supported, different, without effect, missing, wrong.
 * Nothing is opened or served.
 */
import type { Diagnostic } from '../../conf/diagnostics/diagnostic.js';
import type { Conf } from '../../conf/load/load.js';
import { type CheckOptions, checkConf } from '../../conf/schema/check.js';
import type { CheckedDirective } from '../../conf/schema/checked.js';
import { detectContext, wrapFragment } from '../../conf/schema/fragment.js';
import { KNOWN_DIRECTIVES } from '../../conf/schema/known-directives.js';
import type { Registry } from '../../conf/schema/registry.js';
import type { Source } from '../../conf/syntax/source.js';

/** What becomes of a directive: the last three keep a configuration from being served. */
export const STATUSES = ['supported', 'different', 'without effect', 'missing', 'wrong'] as const;
export type Status = (typeof STATUSES)[number];

/** One directive that there is something to say of. */
export interface SurveyFinding {
  readonly status: Exclude<Status, 'supported'>;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Its name; null for what is wrong with the text as such. */
  readonly directive: string | null;
  /** nginx's module, of one that is missing. */
  readonly module: string | null;
  readonly message: string;
}

/** What a survey finds. */
export interface Survey {
  readonly files: readonly string[];
  readonly counts: Readonly<Record<Status, number>>;
  /** In the order of the files; those that are supported aren't listed. */
  readonly findings: readonly SurveyFinding[];
}

/** Looks at a configuration. Never throws. */
export function surveyConf(loaded: Conf, registry: Registry, options: CheckOptions): Survey {
  const conf = wrapFragment(loaded, detectContext(loaded, registry));
  const { directives, diagnostics } = checkConf(conf, registry, options);
  const findings = diagnostics.map(findingOf);
  let supported = 0;
  const visit = (some: readonly CheckedDirective[]): void => {
    for (const directive of some) {
      const finding = judge(directive);
      if (finding !== null) findings.push(finding);
      // What stands for a missing block around a fragment is nobody's directive.
      else if (directive.node.word.end > directive.node.word.start) supported++;
      visit(directive.block);
    }
  };
  visit(directives);
  const order = new Map(conf.sources.map(({ source }, index) => [source.name, index]));
  const rank = ({ file }: SurveyFinding) => order.get(file) ?? -1;
  findings.sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  return {
    files: conf.sources.map(({ source }) => source.name),
    counts: count(findings, supported),
    findings,
  };
}

function count(findings: readonly SurveyFinding[], supported: number): Record<Status, number> {
  const counts = { supported, different: 0, 'without effect': 0, missing: 0, wrong: 0 };
  for (const { status } of findings) counts[status]++;
  return counts;
}

function judge({ definition, node }: CheckedDirective): SurveyFinding | null {
  if (definition.effect === 'none') return about(node.word, 'without effect', node.name, definition.summary);
  if (definition.differs !== undefined) return about(node.word, 'different', node.name, definition.differs);
  return null;
}

function about(
  { source, start }: { readonly source: Source; readonly start: number },
  status: SurveyFinding['status'],
  directive: string,
  message: string,
): SurveyFinding {
  return { status, file: source.name, ...source.positionAt(start), directive, module: null, message };
}

function findingOf({ code, span, message, hint }: Diagnostic): SurveyFinding {
  const place = span === null ? { line: 0, column: 0 } : span.source.positionAt(span.start);
  const directive = span === null ? null : span.source.text.slice(span.start, span.end);
  const module = directive === null ? null : (KNOWN_DIRECTIVES.get(directive) ?? null);
  const isMissing = code === 'unsupported-directive';
  return {
    status: isMissing ? 'missing' : 'wrong',
    file: span?.source.name ?? '',
    ...place,
    directive: isMissing ? directive : null,
    module: isMissing ? module : null,
    message: hint === null ? message : `${message}; ${hint}`,
  };
}
