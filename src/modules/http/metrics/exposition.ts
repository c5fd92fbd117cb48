/*
 * Metrics as text, in the format of Prometheus or in OpenMetrics, whichever the client prefers. prom-client writes it;
 * it is loaded when somebody asks for the first time.
 */
import type { Metric, RegistryContentType } from 'prom-client';
import type { Family } from './families.js';

/** A page and its type. */
export interface Exposition {
  readonly contentType: string;
  /** UTF-8 in a byte string, as the labels are. */
  readonly text: string;
}

/** @param accept the client's Accept field; '' for none */
export async function writeExposition(families: readonly Family[], accept: string): Promise<Exposition> {
  const { Registry } = await import('prom-client');
  const isOpen = prefersOpenMetrics(accept);
  const registry = new Registry<RegistryContentType>();
  if (isOpen) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const family of families) {
    if (family.samples.length > 0)
      registry.registerMetric(new FamilyMetric(family, isOpen) as unknown as Metric);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** Scrapers that can read it name it, as the first of several; others take what there always was. */
function prefersOpenMetrics(accept: string): boolean {
  const open = accept.indexOf('application/openmetrics-text');
  const plain = accept.indexOf('text/plain');
  return open >= 0 && (plain < 0 || open < plain);
}

/** A family as prom-client reads its own metrics. Its counters' names end in _total, which OpenMetrics has as a suffix. */
class FamilyMetric {
  readonly name: string;
  private readonly family: Family;

  constructor(family: Family, isOpen: boolean) {
    this.family = family;
    this.name = isOpen && family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name;
  }

  get(): object {
    const { family, name } = this;
    return {
      name,
      help: family.help,
      type: family.type,
      values: family.samples.map(({ labels, value, suffix }) => ({
        labels,
        value,
        metricName: name + suffix,
      })),
    };
  }
}
