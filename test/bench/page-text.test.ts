import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { REPOSITORY } from '#hack/repository.ts';
import { figuresOf } from './figures.ts';
import { pageWith } from './page-text.ts';
import type { BenchReport } from './report.ts';

const docs = async (path: string): Promise<string> => readFile(join(REPOSITORY, 'docs', path), 'utf8');

describe('the page of figures', () => {
  const report: BenchReport = {
    began: '2026-11-28T15:00:00.000Z',
    seconds: 483,
    took: { speed: 201, 'ten-guests': 90 },
    commit: 'abcdef0',
    machine: { cpus: 2, cpu: 'AMD EPYC', memoryGiB: 24, node: 'v24.21.0' },
    failed: [],
    figures: figuresOf({ operator_cpu_ms_per_vm: 2.5, operator_rss_mb_1000: 115, ten_guests_seconds: 2.61 }),
  };
  const page = 'before\n<!-- figures -->\nold\n<!-- end -->\nbetween\n<!-- others -->\n<!-- end -->\nafter\n';

  it('has what was measured, where and in which time, and its other words are left', () => {
    const made = pageWith(page, report);
    expect(made).to.contain('| `operator_cpu_ms_per_vm` | 2.5 ms | at most 1.5 | **missed** |');
    expect(made).to.contain('| `operator_rss_mb_1000` | 115 MiB | at most 140 | met |');
    expect(made).to.contain('| `ten_guests_seconds` | 2.61 s |  |  |');
    expect(made).to.contain('| control plane in memory | 115 MiB with 1,000 VMs |');
    expect(made).to.contain(
      'Measured on 2026-11-28 at abcdef0. It took 8 min 3 s: speed 201 s, ten-guests 90 s; on 2 CPUs (AMD EPYC), 24 GiB, Node 24.21.0.',
    );
    expect(made).not.to.contain('old');
    expect(pageWith(made, report)).to.equal(made);
    expect(made.replaceAll(/<!-- (?!end)[^]*?<!-- end -->\n/g, '')).to.equal('before\nbetween\nafter\n');
  });

  it('is made of the record that lies beside it', async () => {
    const written = await docs('performance.md');
    expect(pageWith(written, JSON.parse(await docs('performance/bench.json')) as BenchReport)).to.equal(written);
  });

  it('says what it lacks', () => {
    expect(() => pageWith('', report)).to.throw('docs/performance.md has no <!-- figures --> … <!-- end -->');
  });
});
