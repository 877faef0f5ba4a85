// Bad input as a user sees it answered, with real guests: sizes that nothing has, disks that are not there or taken.
import { describeSite } from '../site/describe-site.ts';
import { describeDisks } from './bad-input/disks.ts';
import { describeSizes } from './bad-input/sizes.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1'], heartbeatSeconds: 2 } as const;

describeSite('bad input', choice, (under) => {
  describeSizes(under);
  describeDisks(under);
});
