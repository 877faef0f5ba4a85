// The end of the demo.
import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { announce } from '../progress.ts';
import { COMPILE_CACHE } from '../site/programs.ts';
import { stopSite } from '../site/site.ts';
import { DIRECTORY, MACHINE_DIRECTORY } from './places.ts';

/** Ends everything that `make demo` started, by its records, and removes its files. Quiet where there is nothing. */
export async function demoDown(): Promise<void> {
  if (!isDemoThere()) {
    announce('There is no demo to remove.');
    return;
  }
  const stopped = await stopSite(DIRECTORY, MACHINE_DIRECTORY);
  await rm(DIRECTORY, { recursive: true, force: true });
  await rm(MACHINE_DIRECTORY, { recursive: true, force: true });
  await rm(COMPILE_CACHE, { recursive: true, force: true });
  await rmdir(dirname(DIRECTORY)).catch(() => undefined); // tests may have left their records there
  const ended = stopped.length === 0 ? 'Nothing ran any more' : `Stopped ${stopped.join(', ')}`;
  announce(`${ended}. The demo is removed.`);
}

/** Whether there is a demo, or what is left of one. */
export function isDemoThere(): boolean {
  return existsSync(DIRECTORY);
}
