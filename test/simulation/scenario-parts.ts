// What scenarios have in common: what was before, what is done, and what it comes to.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Site } from './site.ts';

export const ON_HV1 = { placement: { preferredHypervisors: ['hv1'] } };
export const ON_HV2 = { placement: { preferredHypervisors: ['hv2'] } };
export const BIGGER = { resources: { cpus: 2, memory: '2Gi' } };
export const PATIENCE_MS = 10_000;

export const DECIDE = ['mergePatch VirtualMachine'];
export const START = ['get VirtualMachine', 'define', 'start', 'observe', 'mergePatch VirtualMachine'];
export const STOP = ['get VirtualMachine', 'shutdown', 'observe', 'mergePatch VirtualMachine'];
export const REMOVE = ['get VirtualMachine', 'undefine', 'observe', 'mergePatch VirtualMachine'];
export const PAUSE = ['get VirtualMachine', 'pause', 'observe', 'mergePatch VirtualMachine'];
export const RESUME = ['get VirtualMachine', 'resume', 'observe', 'mergePatch VirtualMachine'];
export const STARTED = ['hv1 started 1'];
export const PAUSED = [...STARTED, 'hv1 paused'];
export const STOPPED = [...STARTED, 'hv1 shutting down', 'hv1 shut down'];

export async function running(site: Site, spec: Partial<VirtualMachineSpec> = {}): Promise<void> {
  await site.create('web', { ...ON_HV1, ...spec });
  await site.clock.advance(PATIENCE_MS);
  expect(await site.phaseOf('web')).to.equal('Running');
}

export async function changed(site: Site, spec: object): Promise<void> {
  await site.edit('web', spec);
  await site.clock.advance(PATIENCE_MS);
}

export async function stopped(site: Site): Promise<void> {
  await running(site);
  await changed(site, { powerState: 'Stopped' });
  expect(await site.phaseOf('web')).to.equal('Stopped');
}

export async function paused(site: Site, spec: Partial<VirtualMachineSpec> = {}): Promise<void> {
  await running(site, spec);
  await changed(site, { powerState: 'Paused' });
  expect(await site.phaseOf('web')).to.equal('Paused');
}

export async function stubborn(site: Site, gracePeriodSeconds = 3): Promise<void> {
  await running(site, { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds } });
  site.host('hv1').behave(await site.uuidOf('web'), { ignoresShutdown: true });
}

export async function stoppedFor(site: Site, milliseconds: number): Promise<void> {
  await site.edit('web', { powerState: 'Stopped' });
  await site.clock.advance(milliseconds);
  await site.edit('web', { powerState: 'Running' });
}

export const crash = async (site: Site) => site.crash(await site.uuidOf('web'));

/** Phase, and status and reason of Ready. */
export function comesTo(...expected: readonly [phase: string, ready: 'True' | 'False', reason: string]) {
  return async (site: Site) => {
    const { status } = await site.machine('web');
    const ready = findCondition(status?.conditions, 'Ready');
    expect([status?.phase, ready?.status, ready?.reason]).to.deep.equal(expected);
  };
}

export const RUNS = comesTo('Running', 'True', 'Running');
export const STANDS_STILL = comesTo('Paused', 'True', 'Paused');
export const RESTS = comesTo('Stopped', 'True', 'Stopped');

export async function isGone(site: Site): Promise<void> {
  expect((await site.machines()).map(({ metadata }) => metadata.name)).to.deep.equal(['bystander']);
}
