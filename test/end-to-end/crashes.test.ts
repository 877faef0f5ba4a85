// Each part killed with kill -9 in the middle of ten starts, and of ten deletes, of real guests. The truth about guests is
// taken from libvirt and from the machines' process lists, not from what Usher says.
import { describeSite } from '../site/describe-site.ts';
import { describeCrash } from './crashes/describe-crash.ts';
import { VICTIMS } from './crashes/victims.ts';
import { makeRoom } from './real-guests/room.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;

describeSite('kill -9 in the middle of ten starts and of ten deletes', choice, (under) => {
  before(async function () {
    this.timeout(60_000);
    for (const { name } of under().site.machines) await makeRoom(under().user, name);
  });

  for (const victim of VICTIMS) describeCrash(victim, under);
});
