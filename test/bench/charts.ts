// `node test/bench/charts.ts`: draws docs/performance/*.svg from build/bench.json, and keeps that beside them.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '#hack/repository.ts';
import { type Bar, barChart } from './bar-chart.ts';
import type { Figure, FigureName } from './figures.ts';

const RECORD = join(REPOSITORY, 'build/bench.json');
const DIRECTORY = join(REPOSITORY, 'docs/performance');

const { figures } = JSON.parse(await readFile(RECORD, 'utf8')) as { figures: Figure[] };
await mkdir(DIRECTORY, { recursive: true });
await copyFile(RECORD, join(DIRECTORY, 'bench.json'));
await draw('goals.svg', 'How much of each goal is used up, in percent: beyond 100 it is missed', goals(), 100);
await draw('memory.svg', 'Memory of the operator, MiB', memory());
await draw('writes.svg', 'Writes to the API server from create to Running, per VM', writes());

async function draw(file: string, title: string, bars: readonly Bar[], limit?: number): Promise<void> {
  await writeFile(join(DIRECTORY, file), barChart(title, bars, limit));
}

/** Only of what was measured, and of goals that are more than 0. */
function goals(): Bar[] {
  return figures.flatMap(({ name, value, goal, met }) => {
    const [, kind, wanted] = /^(at most|at least) (.+)$/.exec(goal ?? '') ?? [];
    if (kind === undefined || Number(wanted) === 0) return [];
    const used = kind === 'at most' ? value / Number(wanted) : Number(wanted) / value;
    return [{ label: name, value: Math.round(100 * used), said: `${value}, ${goal}`, bad: met === false }];
  });
}

function memory(): Bar[] {
  return [
    ...measured('operator_rss_mb_empty', 'no VM'),
    ...measured('operator_rss_mb_75', '75 VMs, 25 nodes'),
    ...measured('operator_rss_mb_1000', '1,000 VMs'),
    ...measured('operator_rss_mb_10000', '10,000 VMs'),
  ];
}

/** KubeVirt's are read off the graphs of its own benchmarks: see docs/performance.md. */
function writes(): Bar[] {
  return [
    ...measured('vm_writes_per_vm_create', 'Usher, of the VM'),
    ...measured('writes_per_vm_create', 'Usher, of anything'),
    { label: 'KubeVirt 1.8, VM', value: 12.8, said: '12.8' },
  ];
}

function measured(name: FigureName, label: string): Bar[] {
  const figure = figures.find((candidate) => candidate.name === name);
  return figure === undefined ? [] : [{ label, value: figure.value, said: `${figure.value}` }];
}
