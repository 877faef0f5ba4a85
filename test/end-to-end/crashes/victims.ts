// What is killed, and how it comes back.
import { killLibvirt, releaseLibvirt } from '#hack/hypervisor-host/faults.ts';
import type { Site } from '#hack/site/site.ts';
import { hostOf } from '../../site/guests.ts';
import type { Progress } from './ten-vms.ts';

export interface Victim {
  readonly title: string;
  /** Of the names of its guests. */
  readonly prefix: string;
  /** What tells how far it got with its work. */
  readonly progress: Progress;
  /** Whether a start that it was killed in has to be made a second time: libvirt ends what it had not brought up. */
  readonly losesStarts: boolean;
  kill(site: Site): Promise<void>;
  restore(site: Site): Promise<void>;
}

const forEachMachine = async ({ machines }: Site, work: (name: string) => Promise<void>): Promise<void> => {
  await Promise.all(machines.map(async ({ name }) => work(name)));
};

export const VICTIMS: readonly Victim[] = [
  {
    title: 'the operator',
    prefix: 'op',
    progress: 'placed',
    losesStarts: false,
    kill: async ({ programs }) => programs.kill('operator'),
    restore: async (site) => site.startOperator(),
  },
  {
    title: 'the node daemons',
    prefix: 'nd',
    progress: 'reported',
    losesStarts: false,
    kill: async (site) => forEachMachine(site, async (name) => site.programs.kill(`node-daemon-${name}`)),
    restore: async (site) => forEachMachine(site, async (name) => site.startNodeDaemon(name)),
  },
  {
    title: 'libvirtd',
    prefix: 'lv',
    progress: 'processes',
    losesStarts: true,
    kill: async (site) => forEachMachine(site, async (name) => killLibvirt(hostOf(site, name), 'stays away')),
    restore: async (site) => forEachMachine(site, async (name) => releaseLibvirt(hostOf(site, name))),
  },
  {
    title: 'kube-apiserver',
    prefix: 'as',
    progress: 'reported',
    losesStarts: false,
    kill: async ({ controlPlane }) => controlPlane.stopApiServer(),
    restore: async ({ controlPlane }) => controlPlane.startApiServer(),
  },
];
