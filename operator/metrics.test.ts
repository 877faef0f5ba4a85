import { expect } from 'chai';
import { Registry } from 'prom-client';
import { newMachine } from '#test/builders/virtual-machine.ts';
import { machineMetrics } from './metrics.ts';

async function linesOf(registry: Registry, name: string): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith(name));
}

describe('what the operator counts of VMs', () => {
  it('is each of them by its phase, as they are when somebody asks', async () => {
    const registry = new Registry();
    const metrics = machineMetrics(registry);
    expect(await linesOf(registry, 'usher_virtual_machines{phase="Lost"}')).to.deep.equal([
      'usher_virtual_machines{phase="Lost"} 0',
    ]);
    const lost = { ...newMachine(), status: { phase: 'Lost' as const } };
    let all = [lost, lost, { ...newMachine(), status: { phase: 'Missing' as const } }];
    metrics.count(() => all);
    const told = async () =>
      (await linesOf(registry, 'usher_virtual_machines{')).filter((line) => !line.endsWith(' 0')).sort();
    expect(await told()).to.deep.equal([
      'usher_virtual_machines{phase="Lost"} 2',
      'usher_virtual_machines{phase="Missing"} 1',
    ]);
    all = [lost];
    expect(await told()).to.deep.equal(['usher_virtual_machines{phase="Lost"} 1']);
  });

  it('is what was done about them', async () => {
    const registry = new Registry();
    const metrics = machineMetrics(registry);
    metrics.forcedDeletion();
    metrics.takeover('Guard');
    expect(await linesOf(registry, 'usher_forced')).to.deep.equal(['usher_forced_deletions_total 1']);
    expect(await linesOf(registry, 'usher_takeovers')).to.deep.equal([
      'usher_takeovers_total{proof="Guard"} 1',
      'usher_takeovers_total{proof="Fenced"} 0',
    ]);
  });
});
