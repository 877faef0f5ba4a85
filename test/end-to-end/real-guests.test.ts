// The whole product with real guests: what a user sees of them, whatever happens to guests, daemons and servers.
import { describeSite } from '../site/describe-site.ts';
import { describeChanges } from './real-guests/changes.ts';
import { describeEnds } from './real-guests/ends.ts';
import { describeHostDoings } from './real-guests/host-doings.ts';
import { describeLeaving } from './real-guests/leaving.ts';
import { describeOutages } from './real-guests/outages.ts';
import { describeRunning } from './real-guests/running.ts';
import { describeUsage } from './real-guests/usage.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;

// The tests share the machines, and one guest on hv2, `steady`, that nothing may ever touch.
describeSite('real guests', choice, (under) => {
  before('more virtual CPUs than there are, so that idle guests fit side by side', async () => {
    for (const { name } of under().site.machines)
      await under().user.changeHypervisor(name, { overcommit: { cpuPercent: 800 } });
  });

  describeRunning(under);
  describeUsage(under, () => describeChanges(under));
  describeEnds(under);
  describeHostDoings(under);
  describeOutages(under);
  describeLeaving(under);
});
