// Why a foreign guest cannot be adopted, whoever asks for it. Its hypervisor's word is all there is: nothing that it bears is
// signed. Pure; the first fault counts.
import { powerStateFound } from '#crds/derive/adoption.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { isMachineName } from './names.ts';

export interface Fault {
  readonly reason: string;
  readonly message: string;
  /** It may pass by itself. */
  readonly passes?: true;
}

export interface Guest {
  readonly report: DomainReport;
  /** What its VirtualMachine would be called, and where. */
  readonly name: string;
  readonly namespace: string;
  /** Its hypervisor may be used. */
  readonly accepted: boolean;
  /** The site is on hold. */
  readonly onHold: boolean;
  /** Other nodes that report a guest with its uuid. */
  readonly elsewhere: readonly string[];
  /** Whose guest it is by its uuid. */
  readonly owner: VirtualMachine | undefined;
  /** Who has the name. */
  readonly namesake: VirtualMachine | undefined;
}

type Check = (guest: Guest) => Fault | undefined;

const CHECKS: readonly Check[] = [
  uuidTaken,
  reportedTwice,
  bearsMarks,
  unreadable,
  notSayable,
  invalidName,
  nameTaken,
  hypervisorNotAccepted,
  siteOnHold,
  inBetween,
];

export function faultOf(guest: Guest): Fault | undefined {
  for (const check of CHECKS) {
    const fault = check(guest);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function uuidTaken({ owner, report }: Guest): Fault | undefined {
  if (owner === undefined) return undefined;
  const vm = `${owner.metadata.namespace}/${owner.metadata.name}`;
  return {
    reason: 'UuidTaken',
    message: `VirtualMachine ${vm} has its uuid ${report.spec.uuid}: it is its guest, or a copy of it.`,
  };
}

function reportedTwice({ elsewhere }: Guest): Fault | undefined {
  if (elsewhere.length === 0) return undefined;
  const message = `${elsewhere.join(', ')} reports a guest of the same uuid: nobody can tell which is meant. Remove one of them, or give it another uuid.`;
  return { reason: 'ReportedTwice', message };
}

function bearsMarks({ report }: Guest): Fault | undefined {
  if (report.status?.marks === undefined) return undefined;
  return {
    reason: 'BearsMarks',
    message: 'It is a copy of a guest of Usher, marks and all: take them off first (virsh metadata --remove).',
  };
}

function unreadable({ report }: Guest): Fault | undefined {
  if (report.status?.found !== undefined) return undefined;
  return { reason: 'Unreadable', message: 'Its daemon has not read what it is made of yet.', passes: true };
}

function notSayable({ report }: Guest): Fault | undefined {
  const obstacles = report.status?.found?.obstacles ?? [];
  if (obstacles.length === 0) return undefined;
  const which = obstacles.map(({ field, message }) => `${field}: ${message}`).join(' ');
  return { reason: 'NotAdoptable', message: `A VirtualMachine cannot say all that it is. ${which}` };
}

function invalidName({ name }: Guest): Fault | undefined {
  if (isMachineName(name)) return undefined;
  const message = `No VirtualMachine can be called '${name}': a lower-case DNS label is needed (virsh domrename, while it is off).`;
  return { reason: 'InvalidName', message };
}

function nameTaken({ namespace, name, namesake }: Guest): Fault | undefined {
  if (namesake === undefined) return undefined;
  return {
    reason: 'NameTaken',
    message: `Another VirtualMachine is called ${namespace}/${name}: nothing is done to either.`,
  };
}

function hypervisorNotAccepted({ accepted, report }: Guest): Fault | undefined {
  if (accepted) return undefined;
  return { reason: 'HypervisorNotAccepted', message: `${report.spec.nodeName} was not accepted (yet).`, passes: true };
}

function siteOnHold({ onHold }: Guest): Fault | undefined {
  return onHold
    ? { reason: 'OnHold', message: 'Nothing is adopted while the site is on hold.', passes: true }
    : undefined;
}

function inBetween({ report }: Guest): Fault | undefined {
  const state = report.status?.domain?.powerState ?? 'Unknown';
  if (powerStateFound(state) !== undefined) return undefined;
  return {
    reason: 'InBetween',
    message: `It is ${state}: it is adopted once it runs, stands still or is off.`,
    passes: true,
  };
}
