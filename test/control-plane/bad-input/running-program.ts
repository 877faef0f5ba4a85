// The operator or a daemon as a person starts it: what it writes, what /readyz says, and how it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '#hack/repository.ts';
import { until } from '#hack/until.ts';

export type Script = 'operator/main.ts' | 'node-daemon/main.ts';

const started: RunningProgram[] = [];
const PATIENCE_SECONDS = 60;

export class RunningProgram {
  readonly #child: ChildProcess;
  readonly #end: Promise<unknown[]>;
  #output = '';

  constructor(script: Script, args: readonly string[]) {
    const { KUBECONFIG: _theirs, ...env } = process.env;
    // Ends with the tests, however they end.
    const own = script === 'node-daemon/main.ts' ? ['--state-directory', mkdtempSync(join(tmpdir(), 'usher-'))] : [];
    const dying = ['--pdeathsig', 'KILL', '--', process.execPath, script, ...own, ...args];
    this.#child = spawn('setpriv', dying, { cwd: REPOSITORY, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#end = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    started.push(this);
  }

  /** All that it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it has written something that matches. */
  async says(words: RegExp): Promise<void> {
    await this.#until(`it says ${words}`, async () => words.test(this.#output));
  }

  /** Waits until /readyz says something that matches. */
  async isReady(words: RegExp): Promise<void> {
    let answer = '';
    await this.#until(`/readyz says ${words}`, async () => {
      answer = await this.#readyz();
      return words.test(answer);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${answer}`, { cause: error });
    });
  }

  /** Its exit status, once it has ended by itself. */
  async ended(): Promise<number | null> {
    await this.#until('it ends', async () => this.#child.exitCode !== null || this.#child.signalCode !== null);
    await this.#end;
    return this.#child.exitCode;
  }

  /** Asks it to end; its exit status. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.ended();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #readyz(): Promise<string> {
    const port = /"metricsPort":(\d+)/.exec(this.#output)?.[1];
    if (port === undefined) return '';
    return fetch(`http://127.0.0.1:${port}/readyz`).then(
      async (response) => `${response.status}\n${await response.text()}`,
      String,
    );
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    await until(what, PATIENCE_SECONDS, holds).catch((error: unknown) => {
      throw new Error(`${String(error)}; it wrote:\n${this.#output.slice(-4_000)}`, { cause: error });
    });
  }
}

/** For after a test. */
export function killAllPrograms(): void {
  for (const program of started.splice(0)) program.kill();
}
