// One Go command, compiled from a module of ours that only pins versions. Reports how far the compiler is.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { withProgress } from '../progress.ts';

export interface GoBuild {
  /** What the announcement calls it. */
  readonly name: string;
  /** Holds go.mod and go.sum. */
  readonly moduleDirectory: string;
  readonly importPath: string;
  readonly linkerFlags: string;
  readonly output: string;
}

const KEPT_LINES = 20;

/** Throws with the compiler's last lines when the build fails. */
export async function buildGoCommand(build: GoBuild): Promise<void> {
  const seen = { downloaded: 0, compiled: 0, lines: [] as string[] };
  await withProgress(
    `building ${build.name}`,
    () => runGo(build, (line) => note(seen, line)),
    () => `${seen.downloaded} modules fetched, ${seen.compiled} packages compiled`,
  ).catch((cause: unknown) => {
    throw new Error(`building ${build.name} failed:\n${seen.lines.join('\n')}`, { cause });
  });
}

function note(seen: { downloaded: number; compiled: number; lines: string[] }, line: string): void {
  if (line.startsWith('go: downloading')) seen.downloaded += 1;
  else if (/^[a-z0-9.-]+(\/\S+)?$/i.test(line)) seen.compiled += 1;
  else seen.lines = [...seen.lines, line].slice(-KEPT_LINES);
}

function runGo(build: GoBuild, onLine: (line: string) => void): Promise<void> {
  const args = ['build', '-v', '-trimpath', '-ldflags', build.linkerFlags, '-o', build.output, build.importPath];
  const child = spawn('go', args, {
    cwd: build.moduleDirectory,
    // `auto` lets a Go that is too old fetch the toolchain that go.mod asks for; distributions switch that off.
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOWORK: 'off', GOFLAGS: '-mod=readonly' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  createInterface({ input: child.stderr }).on('line', onLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`go build ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
