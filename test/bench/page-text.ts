// The parts of docs/performance.md that come from a benchmark. The words around them are written by hand.
import type { Figure, FigureName } from './figures.ts';
import { type BenchReport, timesOf } from './report.ts';

/** The page with each part between `<!-- figures -->` and its like and `<!-- end -->` made anew. Throws where one is missing. */
export function pageWith(page: string, report: BenchReport): string {
  return replaced(replaced(page, 'figures', figuresPart(report)), 'others', othersPart(report.figures));
}

function replaced(page: string, part: string, text: string): string {
  const place = new RegExp(`(<!-- ${part} -->\\n)[^]*?(<!-- end -->)`);
  if (!place.test(page)) throw new Error(`docs/performance.md has no <!-- ${part} --> … <!-- end -->`);
  return page.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
}

function figuresPart(report: BenchReport): string {
  const day = report.began.slice(0, 10);
  const head = `Measured on ${day} at ${report.commit}. It ${timesOf(report)}. [bench.json](performance/bench.json) has it all.`;
  return [head, '', '| Figure | Measured | Goal | |', '| --- | --- | --- | --- |', ...report.figures.map(row)].join(
    '\n',
  );
}

function row({ name, value, unit, goal, met }: Figure): string {
  const verdict = met === undefined ? '' : met ? 'met' : '**missed**';
  return `| \`${name}\` | ${value} ${unit} | ${goal ?? ''} | ${verdict} |`;
}

/** KubeVirt's and OpenNebula's columns are what they publish: the sources are named on the page. */
function othersPart(figures: readonly Figure[]): string {
  const of = (name: FigureName) => String(figures.find((figure) => figure.name === name)?.value ?? '?');
  return [
    '| | Usher | KubeVirt 1.8 | OpenNebula |',
    '| --- | --- | --- | --- |',
    `| writes per VM from create to Running, without the create itself | ${of('vm_writes_per_vm_create')} (${of('writes_per_vm_create')} with usage) | 12.8, without those of scheduler and kubelet | none: a database |`,
    `| create to Running, 100 VMs 100 ms apart | p50 ${of('p50_create_to_running')} ms, p95 ${of('p95_create_to_running')} ms, simulated guests | p50 16 to 19 s, p95 24 to 28 s, with a pod and a guest each | |`,
    `| control plane in memory | ${of('operator_rss_mb_1000')} MiB with 1,000 VMs | 208 MB (virt-controller and virt-api) with 100 VMs | |`,
    `| on the node, per VM | nothing beside QEMU; the daemon takes ${of('daemon_rss_mb_50')} MiB in all | 240 MiB | |`,
    '| largest size tested | 10,000 VMs held on 100 simulated nodes, 1,000 created at once | 8,000 fake VMs; 6,000 real ones in 7 hours | 20,000 VMs on 1,250 hosts |',
  ].join('\n');
}
