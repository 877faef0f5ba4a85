// The whole product with real guests: what a user sees of them, whatever happens to guests, daemons and servers.
import { describeSite } from '../site/describe-site.ts';
import { describeChanges } from './real-guests/changes.ts';
import { describeDeletions } from './real-guests/deletions.ts';
import { describeEnds } from './real-guests/ends.ts';
import { describeGuarantees } from './real-guests/guarantees.ts';
import { describeHostDoings } from './real-guests/host-doings.ts';
import { describeLeaving } from './real-guests/leaving.ts';
import { describeMistakes } from './real-guests/mistakes.ts';
import { describeOutages } from './real-guests/outages.ts';
import { makeRoom } from './real-guests/room.ts';
import { describeRunning } from './real-guests/running.ts';
import { describeUsage } from './real-guests/usage.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;

// The tests share the machines, and one guest on hv2, `steady`, that nothing may ever touch.
describeSite('real guests', choice, (under) => {
  before(async function () {
    this.timeout(60_000);
    for (const { name } of under().site.machines) await makeRoom(under().user, name);
  });

  describeRunning(under);
  describeUsage(under, () => describeChanges(under));
  describeGuarantees(under);
  describeEnds(under);
  describeHostDoings(under);
  describeMistakes(under);
  describeOutages(under);
  describeDeletions(under);
  describeLeaving(under);
});
