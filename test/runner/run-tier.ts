import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecord } from './record.ts';
import type { TierProcessOptions } from './tier-process.ts';
import { type ProcessEnd, type TierResult, tierResult } from './tier-result.ts';
import type { Tier } from './tiers.ts';

export interface RunOptions {
  /** Receives `<tier>.json`, the result. */
  readonly directory: string;
  /** What the tests print: passed through as it comes, unless it is to be dropped. */
  readonly output?: 'inherit' | 'ignore';
}

/**
 * Runs one tier in a process of its own. One that dies, hangs or leaves something open is a failure in the result,
 * never an error here.
 */
export async function runTier(tier: Tier, options: RunOptions): Promise<TierResult> {
  const files = await filesOf(tier);
  await mkdir(options.directory, { recursive: true });
  const result = files.length === 0 ? emptyResult(tier) : await runFiles(tier, files, options);
  await writeFile(join(options.directory, `${tier.name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  return result;
}

async function filesOf(tier: Tier): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(tier.files)) files.push(file);
  return files.toSorted();
}

function emptyResult(tier: Tier): TierResult {
  return { tier: tier.name, seconds: 0, capabilities: [], tests: [] };
}

async function runFiles(tier: Tier, files: readonly string[], options: RunOptions): Promise<TierResult> {
  const record = join(options.directory, `${tier.name}.record`);
  await rm(record, { force: true });
  const end = await tierProcess(tier, { record, files, lingerMilliseconds: tier.lingerMilliseconds ?? 5_000 }, options);
  return tierResult(tier.name, readRecord(record), end);
}

async function tierProcess(
  tier: Tier,
  asked: TierProcessOptions,
  { output = 'inherit' }: RunOptions,
): Promise<ProcessEnd> {
  const started = performance.now();
  const script = join(import.meta.dirname, 'tier-process.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(asked)], { stdio: ['ignore', output, output] });
  const timer = setTimeout(() => child.kill('SIGKILL'), tier.limitSeconds * 1000);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  return { code, signal, seconds: Math.round((performance.now() - started) / 1000) };
}
