// `make bench`: measures, prints one line for each figure, and writes the same to build/bench.json. Arguments name the
// measurements to make; without any, all are made. A goal that is missed is said and is no failure; a measurement that
// could not be made is one.
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '#hack/repository.ts';
import { measureDaemon } from './daemon.ts';
import { measureEnds } from './ends.ts';
import { type Found, figuresOf, lineOf } from './figures.ts';
import { measureMemory } from './memory.ts';
import { measurePaper } from './paper.ts';
import { type BenchMachine, type BenchReport, timesOf } from './report.ts';
import { measureSpeed } from './speed.ts';
import { measureTenGuests } from './ten-guests.ts';
import { Turns } from './turns.ts';
import { measureWrites } from './writes.ts';

const MEASUREMENTS: Readonly<Record<string, (turns: Turns) => Promise<Found>>> = {
  speed: measureSpeed,
  'ten-guests': measureTenGuests,
  ends: measureEnds,
  memory: measureMemory,
  writes: measureWrites,
  daemon: measureDaemon,
  paper: measurePaper,
};

/**
 * Seconds are measured with nothing beside them. The others count writes, bytes, and processor time at rest, and take
 * turns with whatever keeps the machine busy.
 */
const STEPS = [['speed'], ['ten-guests'], ['ends'], ['memory', 'writes', 'daemon', 'paper']];

const BUILD = join(REPOSITORY, 'build');

const began = new Date();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => MEASUREMENTS[name] === undefined);
if (unknown.length > 0)
  throw new RangeError(`no measurement ${unknown.join(', ')}; there are ${Object.keys(MEASUREMENTS).join(', ')}`);

const turns = new Turns();
const found: Found = {};
const took: Record<string, number> = {};
const failed: string[] = [];
for (const step of STEPS) await Promise.all(chosen(step).map(measure));
await record();
if (failed.length > 0) process.exitCode = 1;

function chosen(names: readonly string[]): readonly string[] {
  return wanted.length === 0 ? names : names.filter((name) => wanted.includes(name));
}

async function measure(name: string): Promise<void> {
  tell(`measuring: ${name}`);
  const start = performance.now();
  try {
    const figures = (await MEASUREMENTS[name]?.(turns)) ?? {};
    Object.assign(found, figures);
    for (const figure of figuresOf(figures)) process.stdout.write(`${lineOf(figure)}\n`);
  } catch (error) {
    failed.push(name);
    tell(`${name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  took[name] = Math.round((performance.now() - start) / 1000);
}

/** Not among the figures. */
function tell(text: string): void {
  process.stderr.write(`# ${text}\n`);
}

async function record(): Promise<void> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: REPOSITORY, encoding: 'utf8' }).trim();
  const seconds = Math.round((Date.now() - began.getTime()) / 1000);
  const machine = thisMachine();
  const figures = figuresOf(found);
  const report: BenchReport = { began: began.toISOString(), seconds, took, commit, machine, failed, figures };
  tell(timesOf(report));
  await mkdir(BUILD, { recursive: true });
  await writeFile(join(BUILD, 'bench.json'), `${JSON.stringify(report, undefined, 2)}\n`);
}

function thisMachine(): BenchMachine {
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return { cpus: cpus().length, cpu: cpus()[0]?.model ?? '', memoryGiB, node: process.version };
}
