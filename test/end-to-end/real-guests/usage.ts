// What guests use of the machine.
import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { guest, on } from '../../site/manifest.ts';
import { STEADY } from './names.ts';

const BUSY = 'busy';
/** Thousandths of a CPU. The guest would use a whole one, had it not to share the machine with other tests. */
const MUCH = 300;

/** Usage takes its time: `meanwhile` defines tests that run beside it. */
export function describeUsage(under: () => SiteUnderTest, meanwhile: () => void): void {
  const cpuOf = ({ status }: VirtualMachine) => status?.usage?.cpu.oneMinute;

  describe('beside one that keeps a CPU busy', () => {
    before(async () => {
      await under().user.apply(guest(BUSY, { ...on('hv1'), powerOff: { mode: 'Force' } }, 'usher.burn=600'));
    });

    meanwhile();

    describe('and their usage', () => {
      it('is told for each of them, and for the machine', async () => {
        const { user } = under();
        const busy = await user.seesThat(BUSY, 'it uses a good part of a CPU', (vm) => (cpuOf(vm) ?? 0) > MUCH, 180);
        expect(cpuOf(busy)).to.be.at.most(1_500);
        expect(busy.status?.usage?.memory.oneMinute).to.be.above(0);
        const steady = await user.seesThat(STEADY, 'it uses little', (vm) => (cpuOf(vm) ?? MUCH) < MUCH, 180);
        expect(steady.status?.usage?.memory.oneMinute).to.be.above(0);
        const machine = await user.hypervisors.until('hv1', {
          what: 'its usage',
          holds: ({ status }) => status?.usage !== undefined,
          told: ({ status }) => JSON.stringify(status),
        });
        expect(machine.status?.usage?.cpu.oneMinute).to.be.above(0);
      }).timeout(420_000);
    });

    after('it would slow down all others', async () => {
      await under().user.remove(BUSY);
    });
  });
}
