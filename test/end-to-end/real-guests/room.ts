import type { User } from '../../site/user.ts';

/** More virtual CPUs than there are, so that idle guests fit side by side. Returns when the machine says so too. */
export async function makeRoom(user: User, machine: string): Promise<void> {
  await user.changeHypervisor(machine, { overcommit: { cpuPercent: 800 } });
  await user.hypervisors.until(machine, {
    what: 'it offers more CPUs than it has',
    holds: ({ status }) => (status?.allocatable?.cpus ?? 0) > (status?.capacity?.cpus ?? 0),
    told: ({ status }) => JSON.stringify(status?.allocatable),
  });
}
