// The status of a VirtualMachine is written by the operator and by one daemon, each its own part.

import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { virtualMachineStatusSchema } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { ApiAccess } from '#hack/control-plane/api-request.ts';
import type { OwnTestCluster } from '../harness.ts';
import { condition, get, mergePatch, post, refused, virtualMachine, virtualMachines } from './requests.ts';
import type { Site } from './site.ts';
import { after, before as beforeFields, type Field, largest } from './status-samples.ts';

const OPERATOR = {
  fields: ['observedGeneration', 'granted', 'placement', 'decisions', 'managed'],
  conditions: ['Authorized', 'Placed', 'HypervisorReachable', 'ResizePending', 'RestorePending'],
} satisfies Part;
const DAEMON = {
  fields: ['instance', 'addresses', 'usage', 'lastTermination', 'currentOperation', 'pendingChanges'],
  conditions: ['Provisioned', 'PowerStateSynced', 'InstancePresent', 'Migratable', 'RestartRequired'],
} satisfies Part;
const DERIVED = { fields: ['phase', 'transitions'], conditions: ['Ready', 'Reconciling', 'Stalled'] } satisfies Part;
/** Of several owners, each with its own part: see below. */
const SHARED = { fields: ['migration'], conditions: [] } satisfies Part;
const PARTS = [OPERATOR, DAEMON, DERIVED, SHARED];

interface Part {
  readonly fields: readonly Field[];
  readonly conditions: readonly string[];
}

const conditionTypes = PARTS.flatMap((part) => part.conditions);

export function describeStatusOwners(cluster: OwnTestCluster, site: () => Site): void {
  const path = (query = '') => `${virtualMachines(cluster.namespace)}/web/status${query}`;
  const attempt = (access: ApiAccess, status: object) => mergePatch(access, path('?dryRun=All'), { status });
  const conditions = conditionTypes.map((type) => condition(type));
  const setCondition = (access: ApiAccess, type: string, changes?: object) => {
    const others = conditions.filter((each) => each.type !== type);
    return attempt(access, { conditions: changes ? [...others, condition(type, changes)] : others });
  };

  describe('the status of a VirtualMachine', () => {
    beforeEach(async () => {
      await post(site().alice, virtualMachines(cluster.namespace), virtualMachine('web'));
      await mergePatch(site().master, path(), { status: { ...beforeFields, conditions } });
    });

    it('has one owner for each of its fields', () => {
      const all = Object.keys(virtualMachineStatusSchema.properties).filter((field) => field !== 'conditions');
      expect(PARTS.flatMap((part) => part.fields)).to.have.members(all);
    });

    for (const field of OPERATOR.fields) {
      it(`has its ${field} from the operator alone`, async () => {
        const words = new RegExp(`status\\.${field}: not to be changed by the node daemon of n1`);
        await attempt(site().operator, { [field]: after[field] });
        await refused(attempt(site().daemon1, { [field]: after[field] }), words);
      });
    }

    for (const field of DAEMON.fields) {
      it(`has its ${field} from the daemon alone`, async () => {
        const words = new RegExp(`status\\.${field}: not to be changed by the operator`);
        await attempt(site().daemon1, { [field]: after[field] });
        await refused(attempt(site().operator, { [field]: after[field] }), words);
      });
    }

    for (const field of DERIVED.fields) {
      it(`has its ${field} from both`, async () => {
        await attempt(site().operator, { [field]: after[field] });
        await attempt(site().daemon1, { [field]: after[field] });
      });
    }

    for (const type of OPERATOR.conditions) {
      it(`has its condition ${type} from the operator alone`, async () => {
        const words = new RegExp(`status\\.conditions\\[${type}\\]: not to be changed by the node daemon of n1`);
        await setCondition(site().operator, type, { status: 'False' });
        await setCondition(site().operator, type);
        await refused(setCondition(site().daemon1, type, { message: 'Otherwise.' }), words);
        await refused(setCondition(site().daemon1, type), words);
      });
    }

    for (const type of DAEMON.conditions) {
      it(`has its condition ${type} from the daemon alone`, async () => {
        const words = new RegExp(`status\\.conditions\\[${type}\\]: not to be changed by the operator`);
        await setCondition(site().daemon1, type, { status: 'False' });
        await setCondition(site().daemon1, type);
        await refused(setCondition(site().operator, type, { message: 'Otherwise.' }), words);
        await refused(setCondition(site().operator, type), words);
      });
    }

    for (const type of DERIVED.conditions) {
      it(`has its condition ${type} from both`, async () => {
        for (const access of [site().operator, site().daemon1]) {
          await setCondition(access, type, { status: 'False' });
          await setCondition(access, type);
        }
      });
    }

    describe('of its migration', () => {
      beforeEach(async () => {
        await mergePatch(site().master, path(), { status: { migration: { plan: { target: 'n2' } } } });
      });

      const { plan, verdict, source, target } = after.migration;
      const parts: [string, object, 'operator' | 'daemon1' | 'daemon2'][] = [
        ['plan', { plan }, 'operator'],
        ['verdict', { verdict }, 'operator'],
        ['source', { source }, 'daemon1'],
        ['target', { target }, 'daemon2'],
      ];
      for (const [part, migration, owner] of parts) {
        it(`has the ${part} from ${owner} alone`, async () => {
          await attempt(site()[owner], { migration });
          for (const other of (['operator', 'daemon1', 'daemon2'] as const).filter((name) => name !== owner))
            await refused(
              attempt(site()[other], { migration }),
              new RegExp(`status\\.migration\\.${part}: not to be|only report on guests`),
            );
        });
      }

      it('has nothing else from the daemon of the hypervisor that the guest is to move to', async () => {
        await refused(attempt(site().daemon2, { migration: { target }, phase: 'Lost' }), /status\.phase: not to be/);
        await refused(attempt(site().daemon2, { addresses: after.addresses }), /status\.addresses: not to be/);
        await refused(setCondition(site().daemon2, 'Ready', { status: 'False' }), /status\.conditions/);
      });

      it('has nothing from the daemon of another hypervisor, which can make no guest move to itself', async () => {
        await mergePatch(site().master, path(), { status: { migration: { plan: { target: 'n3' } } } });
        await refused(attempt(site().daemon2, { migration: { target } }), /only report on guests placed there/);
        await refused(
          attempt(site().daemon2, { migration: { plan: { target: 'n2' }, target } }),
          /only report on guests placed there/,
        );
      });
    });

    it('loses no field to a writer who does not own it', async () => {
      // The schema itself refuses to lose the placement.
      for (const field of OPERATOR.fields.filter((each) => each !== 'placement'))
        await refused(attempt(site().daemon1, { [field]: null }), new RegExp(`status\\.${field}`));
      for (const field of DAEMON.fields)
        await refused(attempt(site().operator, { [field]: null }), new RegExp(`status\\.${field}`));
    });

    it('takes no condition that nobody owns', async () => {
      for (const access of [site().operator, site().daemon1])
        await refused(setCondition(access, 'Invented', {}), /status\.conditions\[Invented\]: not to be changed/);
    });

    it('names everything that was wrong with a patch', async () => {
      const { granted, decisions } = after;
      const words = /status\.(granted, status\.decisions|decisions, status\.granted): not to be changed/;
      await refused(attempt(site().daemon1, { granted, decisions, addresses: after.addresses }), words);
    });

    it('is reported by the daemon of its hypervisor', async () => {
      const { daemon1, daemon2, unboundDaemon } = site();
      const { addresses } = after;
      await attempt(daemon1, { addresses });
      await refused(attempt(daemon2, { addresses }), /the node daemon of n2 .*status\.placement\.hypervisor is 'n1'/);
      await refused(attempt(unboundDaemon, { addresses }), /names no node/);
    });

    it('cannot be taken over, or handed over, by a daemon', async () => {
      const { daemon1, daemon2 } = site();
      const placement = { hypervisor: 'n2', epoch: 2 };
      await refused(attempt(daemon2, { placement, addresses: after.addresses }), /only report on guests placed there/);
      await refused(attempt(daemon1, { placement }), /only report on guests placed there/);
    });

    it('is nothing to a daemon before the guest is placed', async () => {
      await post(site().alice, virtualMachines(cluster.namespace), virtualMachine('new'));
      const unplaced = `${virtualMachines(cluster.namespace)}/new/status?dryRun=All`;
      const report = (access: ApiAccess) => mergePatch(access, unplaced, { status: { phase: 'Running' } });
      for (const access of [site().daemon1, site().daemon2]) await refused(report(access), /hypervisor is ''/);
      await refused(report(site().unboundDaemon), /names no node/);
      await report(site().operator);
    });

    it('is not for people to write, whatever their rights, but as the last resort', async () => {
      const status = { phase: 'Lost' };
      const { alice, adele, carol, master } = site();
      for (const access of [alice, adele]) await refused(attempt(access, status), /cannot patch/);
      await refused(attempt(carol, status), /status is written by .*, not by 'carol': change spec instead/);
      await attempt(master, status);
    });

    it('is judged within the cost limits however full it is', async () => {
      await mergePatch(site().master, path(), { status: largest(conditionTypes) });
      const { status } = await get<VirtualMachine>(site().master, path());
      const changed = status?.conditions?.map((each) => ({ ...each, message: `${each.message.slice(1)}n` }));
      await attempt(site().daemon1, { usage: after.usage, phase: 'Lost' });
      await refused(attempt(site().daemon1, { conditions: changed }), /conditions\[Authorized, Placed, Hyperv/);
    });
  });
}
