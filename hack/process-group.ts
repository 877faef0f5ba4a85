// Processes that belong together, remembered in a file so that another program can stop them later.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  isRunning,
  lastLines,
  type ProcessIdentity,
  type ProcessSpecification,
  type StartedProcess,
  signalProcess,
  startProcess,
  stopProcess,
} from './process.ts';

const RECORD = 'processes.json';

export class ProcessGroup {
  readonly #directory: string;
  readonly #started = new Map<string, StartedProcess>();

  /** `directory` receives the record of what runs, `processes.json`. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The name of a process is its own within the group: starting it again replaces one that has ended. */
  async start(specification: ProcessSpecification): Promise<StartedProcess> {
    const started = await startProcess(specification);
    this.#started.set(specification.name, started);
    await this.#record();
    return started;
  }

  async stop(name: string): Promise<void> {
    const started = this.#started.get(name);
    if (started === undefined) return;
    await stopProcess(started);
    this.#started.delete(name);
    await this.#record();
  }

  /** Ends it as a crash would: kill -9. Does nothing where there is none of that name. */
  async kill(name: string): Promise<void> {
    const started = this.#started.get(name);
    if (started !== undefined) await stopProcess({ ...started, graceMilliseconds: 0 });
  }

  isRunning(name: string): boolean {
    const started = this.#started.get(name);
    return started !== undefined && isRunning(started);
  }

  /** Last started, first stopped. */
  async stopAll(): Promise<void> {
    for (const name of [...this.#started.keys()].toReversed()) await this.stop(name);
  }

  /** For the last moment of this process, when nothing can be awaited. */
  killAll(): void {
    for (const started of this.#started.values()) signalProcess(started, 'SIGKILL');
  }

  /** A process of the group that was not stopped by us and runs no more. */
  ended(): StartedProcess | undefined {
    return [...this.#started.values()].find((started) => !isRunning(started));
  }

  pids(): Record<string, number> {
    return Object.fromEntries([...this.#started.values()].map(({ name, pid }) => [name, pid]));
  }

  async #record(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const record: readonly ProcessIdentity[] = [...this.#started.values()];
    await writeFile(join(this.#directory, RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
  }
}

/** The error of a process that should run and does not, with the end of its log. */
export function endedError(ended: StartedProcess): Error {
  return new Error(`${ended.name} ended. The end of ${ended.logFile}:\n${lastLines(ended.logFile, 20)}`);
}

/** The processes that a group recorded in `directory` and that still run; none where there is no record. */
export async function recordedProcesses(directory: string): Promise<ProcessIdentity[]> {
  const text = await readFile(join(directory, RECORD), 'utf8').catch(() => '[]');
  return (JSON.parse(text) as ProcessIdentity[]).filter(isRunning);
}

/** Stops what a group recorded in `directory`, last started first. Returns the names of what still ran. */
export async function stopRecorded(directory: string): Promise<string[]> {
  const running = (await recordedProcesses(directory)).toReversed();
  for (const identity of running) await stopProcess(identity);
  return running.map(({ name }) => name);
}
