// Short commands, whose output is wanted and whose failure is an error that says what was run.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What the command wrote to stdout. Rejects with the command line and what it wrote to stderr. */
export async function command(file: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(file, args, { timeout: 60_000 })).stdout;
  } catch (error) {
    const detail = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`${file} ${args.join(' ')}: ${detail === '' ? String(error) : detail}`, { cause: error });
  }
}
