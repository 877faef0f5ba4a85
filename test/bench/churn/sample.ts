// What the programs hold at one moment.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { processCost } from '../process-cost.ts';
import type { BenchSite } from '../site.ts';

export interface Sample {
  /** MiB in memory. */
  readonly operatorResident: number;
  readonly daemonsResident: number;
  /** MiB of JavaScript objects and buffers, those that nobody needs any more included. */
  readonly operatorHeap: number;
  /** Open files, sockets among them. */
  readonly operatorFiles: number;
  readonly daemonsFiles: number;
  readonly operatorSockets: number;
  readonly daemonsSockets: number;
  /** Keys that wait in the operator's queues. */
  readonly queued: number;
}

export class Sampler {
  readonly #site: BenchSite;
  readonly #metricsUrl: string;

  private constructor(site: BenchSite, metricsUrl: string) {
    this.#site = site;
    this.#metricsUrl = metricsUrl;
  }

  static async of(site: BenchSite): Promise<Sampler> {
    const log = await readFile(join(site.directory, 'logs/operator.log'), 'utf8');
    const port = /"metricsPort":(\d+)/.exec(log)?.[1];
    if (port === undefined) throw new Error('the log of the operator does not name the port of its metrics');
    return new Sampler(site, `http://127.0.0.1:${port}/metrics`);
  }

  async sample(): Promise<Sample> {
    const [operator, daemons] = [this.#site.pidOf('operator'), this.#site.pidOf('simulated-nodes')];
    const metrics = await (await fetch(this.#metricsUrl)).text();
    const [operatorOpen, daemonsOpen] = await Promise.all([openFiles(operator), openFiles(daemons)]);
    return {
      operatorResident: (await processCost(operator)).resident,
      daemonsResident: (await processCost(daemons)).resident,
      operatorHeap:
        (sumOf(metrics, 'nodejs_heap_size_used_bytes') + sumOf(metrics, 'nodejs_external_memory_bytes')) / 2 ** 20,
      operatorFiles: operatorOpen.files,
      daemonsFiles: daemonsOpen.files,
      operatorSockets: operatorOpen.sockets,
      daemonsSockets: daemonsOpen.sockets,
      queued: sumOf(metrics, 'usher_workqueue_depth'),
    };
  }
}

async function openFiles(pid: number): Promise<{ files: number; sockets: number }> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory);
  // One that was closed meanwhile is none.
  const targets = await Promise.all(names.map(async (name) => readlink(join(directory, name)).catch(() => '')));
  const open = targets.filter((target) => target !== '');
  return { files: open.length, sockets: open.filter((target) => target.startsWith('socket:')).length };
}

/** Over all label sets. A metric that is not there is an error, not a zero. */
function sumOf(metrics: string, name: string): number {
  const values = [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
    Number(value),
  );
  if (values.length === 0) throw new Error(`the operator has no metric ${name}`);
  return values.reduce((sum, value) => sum + value, 0);
}
