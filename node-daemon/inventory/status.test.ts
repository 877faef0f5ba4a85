import { expect } from 'chai';
import fc from 'fast-check';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import { type HypervisorStatus, hypervisorKind } from '#crds/v1alpha1/hypervisor.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import { validatorFor } from '#crds/validate.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { takeInventory } from './inventory.ts';
import { type DriverView, type HypervisorReport, hypervisorStatus } from './status.ts';

const GIBIBYTE = 2 ** 30;
const NOW = Date.UTC(2026, 0, 1, 12);
const BOOT = '4b0d8f1e-5f4e-4f43-8e0c-0d4a7f6f9d11';

const domains: Domain[] = [
  { uuid: 'b1', name: 'stranger', powerState: 'ShutOff', shutOffReason: 'Unknown', cpus: 1, memoryBytes: 1 },
];

const seen: DriverView = {
  kind: 'Seen',
  node: { cpus: 16, memoryBytes: 64 * GIBIBYTE, freeMemoryBytes: 40 * GIBIBYTE, architecture: 'x86_64' },
  capabilities: { type: 'qemu', version: '7.2.0', features: new Set(['Events', 'Addresses']) },
  inventory: takeInventory(domains, { known: new Map(), orphans: new Set() }),
};

function report(changes: Partial<HypervisorReport> = {}): HypervisorReport {
  return {
    previous: undefined,
    spec: { nodeName: 'n1', driver: 'libvirt', scanIntervalSeconds: 30 },
    generation: 1,
    driver: seen,
    reserved: { cpus: 1, memoryBytes: 4 * GIBIBYTE },
    bootID: BOOT,
    agentVersion: '0.1.0',
    controlPlane: { uid: 'c1' },
    now: NOW,
    ...changes,
  };
}

function condition(status: HypervisorStatus, type: string): Condition | undefined {
  return status.conditions?.find((entry) => entry.type === type);
}

describe('the status of a Hypervisor', () => {
  it('says what the machine has, what may be given away, and what runs there', () => {
    const { conditions, ...rest } = hypervisorStatus(report());
    expect(rest).to.deep.equal({
      capacity: { cpus: 16, memory: '64Gi' },
      allocatable: { cpus: 15, memory: '60Gi' },
      guaranteeable: { cpus: 15, memory: '60Gi' },
      free: { cpus: 15, memory: '60Gi' },
      freeMemory: '40Gi',
      virtualMachineCount: 0,
      capabilities: { type: 'qemu', version: '7.2.0', architecture: 'x86_64', features: ['Addresses', 'Events'] },
      unmanaged: [{ name: 'stranger', uuid: 'b1', powerState: 'ShutOff', reason: 'Foreign' }],
      unmanagedCount: 1,
      bootID: BOOT,
      agentVersion: '0.1.0',
      controlPlane: { uid: 'c1' },
    });
    expect(conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).to.deep.equal([
      'Ready True Operational',
      'DriverConnected True Connected',
    ]);
  });

  it('counts guests that are ours by their metadata, also while their VirtualMachine is being asked for', () => {
    const metadata = { uid: 'u', namespace: 'a', name: 'b', epoch: 1, generation: 1, payload: '', signature: '' };
    const ours: Domain = { uuid: 'u', name: 'a.b', powerState: 'Running', cpus: 1, memoryBytes: 1, metadata };
    const inventory = takeInventory([ours], { known: new Map(), orphans: new Set() });
    expect(hypervisorStatus(report({ driver: { ...seen, inventory } })).virtualMachineCount).to.equal(1);
  });

  it('says what more VMs may be given, which is what those that run here do not hold', () => {
    const metadata = { uid: 'u', namespace: 'a', name: 'b', epoch: 1, generation: 1, payload: '', signature: '' };
    const ours: Domain = {
      uuid: 'u',
      name: 'a.b',
      powerState: 'Running',
      cpus: 4,
      memoryBytes: 9.5 * GIBIBYTE,
      metadata,
    };
    const stopped: Domain = { ...ours, uuid: 'v', powerState: 'ShutOff', metadata: { ...metadata, uid: 'v' } };
    const foreign: Domain = { uuid: 'w', name: 'w', powerState: 'Running', cpus: 1, memoryBytes: GIBIBYTE };
    const inventory = takeInventory([ours, stopped, foreign], { known: new Map(), orphans: new Set() });
    const status = hypervisorStatus(report({ driver: { ...seen, inventory } }));
    expect([status.allocatable, status.free]).to.deep.equal([
      { cpus: 14, memory: '59Gi' },
      { cpus: 10, memory: '49.5Gi' },
    ]);
  });

  it('gives to VMs only what no unmanaged guest holds', () => {
    const running: Domain = { uuid: 'b2', name: 'busy', powerState: 'Running', cpus: 5, memoryBytes: 20 * GIBIBYTE };
    const huge: Domain = { ...running, uuid: 'b3', powerState: 'Paused', cpus: 90, memoryBytes: GIBIBYTE };
    const none = { known: new Map<string, string>(), orphans: new Set<string>() };
    const allocatable = (guests: Domain[]) =>
      hypervisorStatus(report({ driver: { ...seen, inventory: takeInventory(guests, none) } })).allocatable;
    expect(allocatable([...domains, running])).to.deep.equal({ cpus: 10, memory: '40Gi' });
    expect(allocatable([running, huge])).to.deep.equal({ cpus: 0, memory: '39Gi' });
  });

  it('is the same again where nothing changed by more than noise', () => {
    const previous = hypervisorStatus(report());
    const node = { ...seen.node, freeMemoryBytes: 39.8 * GIBIBYTE };
    const later = hypervisorStatus(report({ previous, driver: { ...seen, node }, now: NOW + 60_000 }));
    expect(later).to.deep.equal(previous);
  });

  it('keeps what was seen last while the hypervisor does not answer, and says so in words', () => {
    const previous = hypervisorStatus(report());
    const driver: DriverView = { kind: 'Disconnected', detail: 'connect ENOENT /run/libvirt/libvirt-sock' };
    const status = hypervisorStatus(report({ previous, driver, now: NOW + 60_000 }));
    expect(status).to.deep.include({ capacity: previous.capacity, unmanaged: previous.unmanaged });
    expect(condition(status, 'Ready')).to.include({
      status: 'False',
      reason: 'DriverDisconnected',
      lastTransitionTime: '2026-01-01T12:01:00Z',
    });
    expect(condition(status, 'Ready')?.message).to.contain('Guests that run go on running');
    expect(condition(status, 'DriverConnected')?.message).to.contain('libvirt').and.to.contain('ENOENT');
  });

  it('passes on what the driver remarks on its type', () => {
    const remark = 'Guests are emulated: KVM is offered here, and guests do not run with it (no KVM).';
    const capabilities = { ...seen.capabilities, remark };
    const status = hypervisorStatus(report({ driver: { ...seen, capabilities } }));
    expect(condition(status, 'DriverConnected')?.message).to.equal(`The driver libvirt is connected. ${remark}`);
  });

  it('is not Ready where the driver is connected but the guests cannot be read', () => {
    const status = hypervisorStatus(report({ driver: { kind: 'ScanFailed', detail: 'list: no answer within 10 s' } }));
    expect(condition(status, 'DriverConnected')?.status).to.equal('True');
    expect(condition(status, 'Ready')).to.include({ status: 'False', reason: 'ScanFailed' });
    expect(condition(status, 'Ready')?.message).to.contain('no answer within 10 s');
  });

  it('is Ready again, with a new time, when the hypervisor answers again', () => {
    const before = hypervisorStatus(report({ driver: { kind: 'Disconnected', detail: 'gone' } }));
    const after = hypervisorStatus(report({ previous: before, now: NOW + 5_000 }));
    expect(condition(after, 'Ready')).to.include({ status: 'True', lastTransitionTime: '2026-01-01T12:00:05Z' });
  });

  it("leaves the operator's conditions and anything unknown to it as they are", () => {
    const accepted: Condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const previous = { conditions: [accepted], fromTheFuture: 1 } as HypervisorStatus;
    const status = hypervisorStatus(report({ previous }));
    expect(condition(status, 'Accepted')).to.equal(accepted);
    expect(status).to.have.property('fromTheFuture', 1);
  });

  it('follows the spec and says which generation it followed', () => {
    const { spec } = report();
    const overcommit = { cpuPercent: 200, memoryPercent: 100 };
    const status = hypervisorStatus(report({ spec: { ...spec, overcommit }, generation: 7 }));
    expect(status.allocatable).to.deep.equal({ cpus: 30, memory: '60Gi' });
    expect(condition(status, 'Ready')?.observedGeneration).to.equal(7);
  });

  it('keeps the usage that is written apart', () => {
    const still = { oneMinute: 0, fiveMinutes: 0, fifteenMinutes: 0 };
    const rates = { networkReceive: still, networkTransmit: still, diskRead: still, diskWrite: still };
    const usage = { time: '2026-01-01T12:00:00Z', cpu: still, memory: still, ...rates };
    const previous = { ...hypervisorStatus(report()), usage };
    expect(hypervisorStatus(report({ previous })).usage).to.equal(usage);
  });

  it('keeps within what the API takes, however long the words of the hypervisor are', () => {
    const words = 'x'.repeat(10_000);
    const disconnected = hypervisorStatus(report({ driver: { kind: 'Disconnected', detail: words } }));
    expect(condition(disconnected, 'DriverConnected')?.message.length).to.be.below(2_048);
    const capabilities = { ...seen.capabilities, version: words };
    const status = hypervisorStatus(report({ driver: { ...seen, capabilities }, agentVersion: words }));
    expect([status.capabilities?.version.length, status.agentVersion?.length]).to.deep.equal([64, 64]);
  });

  it('is valid by the schema of the API, whatever the hypervisor is called and says', () => {
    const validate = validatorFor(hypervisorKind);
    const words = fc.string({ unit: 'binary', maxLength: 3_000 });
    fc.assert(
      fc.property(words, words, (name, detail) => {
        const inventory = takeInventory([{ ...domains[0]!, name }], { known: new Map(), orphans: new Set() });
        const first = hypervisorStatus(report({ driver: { ...seen, inventory } }));
        const status = hypervisorStatus(report({ previous: first, driver: { kind: 'Disconnected', detail } }));
        for (const each of [first, status]) {
          const metadata = { name: 'n1', uid: 'u', resourceVersion: '1' };
          const object = { apiVersion: API_VERSION, kind: 'Hypervisor', metadata, spec: report().spec, status: each };
          expect(validate(object)).to.include({ valid: true });
        }
      }),
    );
  });
});
