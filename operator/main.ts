// The operator: decides, places, and tells what is heard. Only wiring here.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { INSTALL_API, INSTALL_OR_USE_RIGHTS, INSTALL_RIGHTS } from '#crds/v1alpha1/installation.ts';
import {
  domainReportResource,
  hypervisorResource,
  operationResource,
  virtualMachineResource,
} from '#crds/v1alpha1/kinds.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { EventRecorder } from '#runtime/event/recorder.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { controllerMetrics, leaderMetrics } from '#runtime/process/metrics.ts';
import type { OptionValues } from '#runtime/process/option-table.ts';
import { type Patience, persevere } from '#runtime/process/persevere.ts';
import { type Runtime, runProgram } from '#runtime/process/program.ts';
import { untilServed } from '#runtime/process/until-served.ts';
import { acceptanceRule } from './hypervisor/acceptance.ts';
import { machineMetrics } from './metrics.ts';
import type { MigrationSettings } from './migration/settings.ts';
import { operatorOptions } from './options.ts';
import type { Signer } from './signing/key.ts';
import { loadSigner } from './signing/secret.ts';
import { siteMetrics } from './site/metrics.ts';
import { runOperator } from './wiring.ts';

const NAME = 'usher-operator';

async function run(runtime: Runtime<typeof operatorOptions>): Promise<void> {
  const { options, store, logger, patience, stop } = runtime;
  const identity = options.identity ?? `${hostname()}-${randomUUID().slice(0, 8)}`;
  const clock = systemClock;
  const signer = await signerOf(store, patience, stop);
  const events = new EventRecorder({ store, clock, logger, component: NAME, instance: identity });
  await runOperator(
    {
      store,
      clock,
      random: systemRandom,
      logger,
      signer,
      identity,
      acceptance: acceptanceRule(options.hypervisorAcceptance),
      migration: migrationOf(options),
      silenceTimeoutMs: options.silenceTimeoutSeconds * 1000,
      mostSilentPercent: options.mostSilentPercent,
      warn: (object, reason, message) => events.warn(object, reason, message),
      ...observersOf(runtime),
    },
    stop,
  );
  await events.flush();
}

/** What is measured, and what /readyz says. */
function observersOf({ metrics, setUnready, readiness, reflectorObserver }: Runtime<typeof operatorOptions>) {
  const leader = leaderMetrics(metrics);
  return {
    observer: machineMetrics(metrics),
    siteObserver: siteMetrics(metrics),
    reflectorObserver,
    controllerObserver: controllerMetrics(metrics),
    onSynced: () => setUnready(undefined),
    leadershipObserver: {
      leading: (leads: boolean) => leader.leading(leads),
      doubtful: (words: string | undefined) => readiness.tell('leader election', words),
    },
  };
}

function migrationOf(options: OptionValues<typeof operatorOptions>): MigrationSettings {
  const { migrationTimeoutSeconds, migrationBandwidth, migrationsAtOnce, migrationsPerHypervisor } = options;
  return {
    timeoutSeconds: migrationTimeoutSeconds,
    ...(migrationBandwidth === 0 ? {} : { bandwidthMiB: migrationBandwidth }),
    atOnce: migrationsAtOnce,
    perHypervisor: migrationsPerHypervisor,
  };
}

/** Once all that it takes is installed. */
async function signerOf(store: KubeStore, patience: Patience, stop: AbortSignal): Promise<Signer> {
  const types = [virtualMachineResource, hypervisorResource, operationResource, domainReportResource];
  await untilServed(
    { ...patience, store, types, advice: { NotFound: INSTALL_API, Forbidden: INSTALL_OR_USE_RIGHTS } },
    stop,
  );
  const advice = { NotFound: INSTALL_RIGHTS, Forbidden: INSTALL_OR_USE_RIGHTS };
  const until = 'the signing key of the site can be read';
  return persevere({ ...patience, until, advice }, async (signal) => loadSigner(store, signal), stop);
}

process.exitCode = await runProgram({
  name: NAME,
  usage: 'usher-operator: decides which VirtualMachines may run, and where.',
  table: operatorOptions,
  run,
});
