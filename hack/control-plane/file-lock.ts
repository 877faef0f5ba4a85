import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { announce } from '../progress.ts';

/**
 * Runs `work` while holding an exclusive lock on `file`, so that of several processes one works and the others wait. The
 * kernel holds the lock for a child of ours and lets go of it when either ends: a crash leaves nothing behind.
 */
export async function withFileLock<T>(file: string, waiting: string, work: () => Promise<T>): Promise<T> {
  // The child holds the lock until its stdin closes, which our end does too.
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo locked; cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const failed = once(holder, 'error').then(([cause]) => {
    throw new Error(`cannot lock ${file}: flock (package util-linux) does not start`, { cause });
  });
  const timer = setInterval(() => announce(waiting), 10_000);
  try {
    await Promise.race([once(holder.stdout, 'data'), failed]);
    clearInterval(timer);
    return await work();
  } finally {
    clearInterval(timer);
    holder.stdin.end();
  }
}
