// The charts of docs/performance.md, from the figures of a benchmark.
import { type Bar, barChart } from './bar-chart.ts';
import type { Figure, FigureName } from './figures.ts';

/** SVG by file name. */
export function chartsOf(figures: readonly Figure[]): Readonly<Record<string, string>> {
  return {
    'goals.svg': barChart('How much of each goal is used up, in percent: beyond 100 it is missed', goals(figures), 100),
    'memory.svg': barChart('Memory of the operator, MiB', memory(figures)),
    'writes.svg': barChart('Writes to the API server from create to Running, per VM', writes(figures)),
  };
}

/** Only of what was measured, and of goals that are more than 0. */
function goals(figures: readonly Figure[]): Bar[] {
  return figures.flatMap(({ name, value, goal, met }) => {
    const [, kind, wanted] = /^(at most|at least) (.+)$/.exec(goal ?? '') ?? [];
    if (kind === undefined || Number(wanted) === 0) return [];
    const used = kind === 'at most' ? value / Number(wanted) : Number(wanted) / value;
    return [{ label: name, value: Math.round(100 * used), said: `${value}, ${goal}`, bad: met === false }];
  });
}

function memory(figures: readonly Figure[]): Bar[] {
  return [
    ...measured(figures, 'operator_rss_mb_empty', 'no VM'),
    ...measured(figures, 'operator_rss_mb_75', '75 VMs, 25 nodes'),
    ...measured(figures, 'operator_rss_mb_1000', '1,000 VMs'),
    ...measured(figures, 'operator_rss_mb_10000', '10,000 VMs'),
  ];
}

/** KubeVirt's are read off the graphs of its own benchmarks: see docs/performance.md. */
function writes(figures: readonly Figure[]): Bar[] {
  return [
    ...measured(figures, 'vm_writes_per_vm_create', 'Usher, of the VM'),
    ...measured(figures, 'writes_per_vm_create', 'Usher, of anything'),
    { label: 'KubeVirt 1.8, VM', value: 12.8, said: '12.8' },
  ];
}

function measured(figures: readonly Figure[], name: FigureName, label: string): Bar[] {
  const figure = figures.find((candidate) => candidate.name === name);
  return figure === undefined ? [] : [{ label, value: figure.value, said: `${figure.value}` }];
}
