// Power states as they are declared, of real guests that count on their consoles.
import { describeSite } from '../site/describe-site.ts';
import { describeHibernation } from './power-states/hibernation.ts';
import { describePauses } from './power-states/pauses.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1'], heartbeatSeconds: 2 } as const;

describeSite('power states of real guests', choice, (under) => {
  describePauses(under);
  describeHibernation(under);
});
