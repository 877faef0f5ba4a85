// `make bench-page`: takes what `make bench` left in build/bench.json into docs/performance.md and the files beside it.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '#hack/repository.ts';
import { chartsOf } from './charts.ts';
import { pageWith } from './page-text.ts';
import type { BenchReport } from './report.ts';

const PAGE = join(REPOSITORY, 'docs/performance.md');
const DIRECTORY = join(REPOSITORY, 'docs/performance');

const record = await readFile(join(REPOSITORY, 'build/bench.json'), 'utf8');
const report = JSON.parse(record) as BenchReport;
if (report.failed.length > 0) throw new Error(`measure again: ${report.failed.join(', ')} could not be measured`);

await writeFile(join(DIRECTORY, 'bench.json'), record);
for (const [file, svg] of Object.entries(chartsOf(report.figures))) await writeFile(join(DIRECTORY, file), svg);
await writeFile(PAGE, pageWith(await readFile(PAGE, 'utf8'), report));
