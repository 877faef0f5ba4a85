// Processes that this repository's tools start: tied to the life of their parent, or left running and found again by pid.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Names one process for good: a pid may be given again, a pid with its start time may not. */
export interface ProcessIdentity {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks between boot and the start of the process, as the kernel counts them. */
  readonly startTicks: string;
  /** How long it may take to end in good order; 0 for one that may be killed at any moment. */
  readonly graceMilliseconds: number;
}

export interface StartedProcess extends ProcessIdentity {
  readonly logFile: string;
}

export interface ProcessSpecification {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** Receives stdout and stderr, appended. */
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly graceMilliseconds: number;
  /** `parent`: the kernel kills it when this process ends, however that happens. `detached`: it outlives this process. */
  readonly lifetime: 'parent' | 'detached';
}

/**
 * Starts a process in a session of its own (a Ctrl-C in the terminal does not reach it) that does not keep this process
 * alive. Throws when the command cannot be started.
 */
export async function startProcess(specification: ProcessSpecification): Promise<StartedProcess> {
  const { name, logFile, graceMilliseconds } = specification;
  const log = openSync(logFile, 'a');
  try {
    const child = spawnSpecified(specification, log);
    const pid = await pidOf(child, specification);
    child.unref();
    return { name, pid, startTicks: readProcessState(pid)?.startTicks ?? '0', graceMilliseconds, logFile };
  } finally {
    closeSync(log);
  }
}

function spawnSpecified(specification: ProcessSpecification, log: number): ChildProcess {
  const { command, args, lifetime } = specification;
  // A handler in this process could not run after a kill -9; the kernel's parent-death signal needs no handler.
  const [file, fileArgs] =
    lifetime === 'parent' ? ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]] : [command, args];
  return spawn(file, fileArgs, {
    cwd: specification.directory,
    env: { ...process.env, ...specification.environment },
    stdio: ['ignore', log, log],
    detached: true,
  });
}

function pidOf(child: ChildProcess, specification: ProcessSpecification): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) => {
      reject(new Error(`cannot start ${specification.name} (${specification.command}): ${cause.message}`, { cause }));
    });
  });
}

/** A process that has ended but was not yet reaped does not count as running. */
export function isRunning(identity: ProcessIdentity): boolean {
  const state = readProcessState(identity.pid);
  return state !== undefined && state.startTicks === identity.startTicks && !'ZX'.includes(state.letter);
}

/** SIGTERM, then SIGKILL after its grace (0: SIGKILL at once). Returns when the process has ended. */
export async function stopProcess(identity: ProcessIdentity): Promise<void> {
  if (identity.graceMilliseconds > 0) {
    signalProcess(identity, 'SIGTERM');
    if (await hasEndedWithin(identity, identity.graceMilliseconds)) return;
  }
  signalProcess(identity, 'SIGKILL');
  if (!(await hasEndedWithin(identity, 10_000))) {
    throw new Error(`${identity.name} (pid ${identity.pid}) did not end after SIGKILL`);
  }
}

/** Does nothing where the process has ended, or its pid has passed to another one. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isRunning(identity)) process.kill(identity.pid, signal);
}

async function hasEndedWithin(identity: ProcessIdentity, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (isRunning(identity)) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/** The end of a log, for an error message; empty where there is no log. */
export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

function readProcessState(pid: number): { letter: string; startTicks: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the name in parentheses may itself hold blanks and parentheses; the state follows it, starttime is field 22.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { letter: fields[0] ?? 'X', startTicks: fields[19] ?? '0' };
  } catch {
    return undefined;
  }
}
