// The operator: decides, places, and tells what is heard. Only wiring here.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { systemClock, systemRandom } from '#runtime/clock-system.ts';
import { EventRecorder } from '#runtime/event-recorder.ts';
import { controllerMetrics, leaderMetrics, reflectorMetrics } from '#runtime/metrics.ts';
import { type Runtime, runProgram } from '#runtime/program.ts';
import { operatorOptions } from './options.ts';
import { loadSigner } from './signing/secret.ts';
import { runOperator } from './wiring.ts';

const NAME = 'usher-operator';

async function run({
  options,
  store,
  logger,
  metrics,
  setUnready,
  stop,
}: Runtime<typeof operatorOptions>): Promise<void> {
  const identity = options.identity ?? `${hostname()}-${randomUUID().slice(0, 8)}`;
  const leader = leaderMetrics(metrics);
  const clock = systemClock;
  const signer = await loadSigner(store, stop);
  const events = new EventRecorder({ store, clock, logger, component: NAME, instance: identity });
  await runOperator(
    {
      store,
      clock,
      random: systemRandom,
      logger,
      signer,
      identity,
      silenceTimeoutMs: options.silenceTimeoutSeconds * 1000,
      warn: (object, reason, message) => events.warn(object, reason, message),
      reflectorObserver: reflectorMetrics(metrics),
      controllerObserver: controllerMetrics(metrics),
      onSynced: () => setUnready(undefined),
      onLeading: (leads) => leader.leading(leads),
    },
    stop,
  );
  await events.flush();
}

process.exitCode = await runProgram({
  name: NAME,
  usage: 'usher-operator: decides which VirtualMachines may run, and where.',
  table: operatorOptions,
  run,
});
