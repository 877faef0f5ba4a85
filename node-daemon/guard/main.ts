// The guard of one hypervisor machine: a program of its own, that needs neither the API server nor libvirt. Only wiring.
import { systemClock } from '#runtime/clock/system.ts';
import { createLog, LOG_LEVELS } from '#runtime/process/log.ts';
import type { OptionTable, OptionValues } from '#runtime/process/option-table.ts';
import { OptionsError, parseOptions } from '#runtime/process/options.ts';
import { shutdownSignal } from '#runtime/process/shutdown.ts';
import { readBootID } from '../inventory/boot-id.ts';
import { readBootTime } from './boot-time.ts';
import { guardFilesIn } from './files.ts';
import { runGuard } from './guard.ts';
import { processKiller } from './processes.ts';
import { openWatchdog, type Watchdog } from './watchdog.ts';

const NAME = 'usher-guard';

const options = {
  directory: {
    type: 'string',
    description: 'Where it meets the node daemon; on a file system that is empty after a reboot.',
    default: '/run/usher-guard',
  },
  procDirectory: {
    type: 'string',
    description: 'Where the processes of the machine are seen.',
    default: '/proc',
  },
  watchdogDevice: {
    type: 'string',
    description:
      'A hardware watchdog, for example /dev/watchdog, which resets the machine where the guard itself is dead. Left out, there is none.',
    optional: true,
  },
  logLevel: { type: 'choice', choices: LOG_LEVELS, description: 'The least that is logged.', default: 'info' },
} as const satisfies OptionTable;

async function guard(values: OptionValues<typeof options>): Promise<void> {
  const clock = systemClock;
  const logger = createLog({ level: values.logLevel, clock, fields: { component: NAME } });
  const stop = shutdownSignal(logger);
  const watchdog: Watchdog | undefined =
    values.watchdogDevice === undefined ? undefined : openWatchdog(values.watchdogDevice);
  const killer = processKiller({
    procDirectory: values.procDirectory,
    clock,
    signal: (pid, signal) => void process.kill(pid, signal),
  });
  logger.info('started', { directory: values.directory });
  await runGuard(
    {
      files: guardFilesIn(values.directory),
      killer,
      bootID: await readBootID(),
      bootTime: readBootTime,
      clock,
      logger,
      onLooked: () => watchdog?.pet(),
    },
    stop,
  );
  watchdog?.standDown();
  logger.info('stopped');
}

async function main(): Promise<number> {
  try {
    const usage = `${NAME}: stops guests that may be started elsewhere, when their machine has been cut off for too long.`;
    const parsed = parseOptions({ usage, table: options });
    if (parsed.help !== undefined) process.stdout.write(parsed.help);
    else await guard(parsed.values);
    return 0;
  } catch (error) {
    process.stderr.write(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof OptionsError ? 2 : 1;
  }
}

process.exitCode = await main();
