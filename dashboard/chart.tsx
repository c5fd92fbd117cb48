/*
 * A chart over time, by uPlot. It takes its colours from the page's style, so it is drawn anew when those change.
 */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatTime } from './format.js';

/** A line, or an area whose values are those of all lines behind it too. */
export interface ChartLine {
  readonly label: string;
  /** A custom property of the page's style. */
  readonly color: string;
  /** By second; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  /** What it is about, for those who can't see it. */
  readonly summary: string;
  /** Unix seconds. */
  readonly times: readonly number[];
  /** From this time on, up to `to`. */
  readonly from: number;
  readonly to: number;
  /** Areas are drawn one before the other: the largest first. */
  readonly lines: readonly ChartLine[];
  readonly isFilled?: boolean;
  readonly format: (value: number) => string;
  /** Another one: the colours are others. */
  readonly theme: string;
}

const HEIGHT = 132;

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { theme, lines, summary } = props;
  const labels = lines.map(({ label }) => label).join();

  // Numbers come by the effect below, without a new plot.
  useEffect(() => {
    const element = place.current!;
    const made = new uPlot(optionsFor(element, latest), dataOf(latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, labels]);

  useEffect(() => plot.current?.setData(dataOf(props)));

  return <div class="chart" ref={place} role="img" aria-label={summary} />;
}

function dataOf({ times, lines }: ChartProps): uPlot.AlignedData {
  return [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
}

function optionsFor(element: HTMLElement, latest: { readonly current: ChartProps }): uPlot.Options {
  const color = (name: string) => resolveColor(element, name);
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: () => [latest.current.from, latest.current.to] },
      y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.08] },
    },
    axes: [
      { ...axis, size: 24, space: 64, values: (_, ticks) => ticks.map((each) => formatTime(each * 1000)) },
      {
        ...axis,
        size: 52,
        space: 34,
        values: (_, ticks) => ticks.map((each) => latest.current.format(each)),
      },
    ],
    series: [
      {},
      ...latest.current.lines.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        width: latest.current.isFilled ? 0 : 1.5,
        points: { show: false },
        ...(latest.current.isFilled ? { fill: color(name) } : {}),
      })),
    ],
  };
}

/** What a custom property comes to here: a canvas understands no others. */
function resolveColor(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
