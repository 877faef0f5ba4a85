// What a daemon says of a guest that nobody declares.

import { formatQuantity } from '#crds/quantity.ts';
import type { DomainReportStatus, Found, Marks } from '#crds/v1alpha1/domain-report.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { BootSource, Domain, DomainMetadata, Inspection } from '../hypervisor/driver.ts';

/** A domain that belongs to no VirtualMachine here. */
export interface Unowned {
  readonly domain: Domain;
  readonly reason: 'Foreign' | 'Orphaned';
  /** Of foreign ones that could be read. */
  readonly inspection?: Inspection;
}

/** The daemon's part of a report. Pure. */
export function contentOf(
  { domain, reason, inspection }: Unowned,
  bootID: string,
): Omit<DomainReportStatus, 'verdict'> {
  const { name, powerState, cpus, memoryBytes, metadata } = domain;
  const marks = metadata === undefined ? undefined : marksOf(metadata);
  return {
    domain: {
      name: cut(name, limits.unmanagedName),
      reason,
      powerState,
      cpus,
      memory: formatQuantity(memoryBytes),
      bootID,
      ...(domain.released === true ? { released: true } : {}),
    },
    ...(marks === undefined ? {} : { marks }),
    ...(inspection === undefined ? {} : { found: foundOf(domain, inspection) }),
  };
}

/** Pure. What does not fit into the API is an obstacle, for nothing is cut that a spec is made of. */
export function foundOf({ hasImage }: Pick<Domain, 'hasImage'>, inspection: Inspection): Found {
  const { boot, disks, interfaces, hardware } = inspection;
  const texts = [
    ...disks.flatMap(({ name, pool, volume }) => [name, pool, volume]),
    ...interfaces.flatMap(Object.values),
  ];
  const fits = texts.every((text) => text.length <= limits.foundText) && (commandLineOf(boot)?.length ?? 0) <= 2048;
  const obstacles = [...inspection.obstacles, ...(hasImage === true ? [IMAGE] : []), ...(fits ? [] : [TOO_LARGE])];
  return {
    boot: boot === undefined || !fits ? {} : bootFound(boot),
    disks: fits ? disks.slice(0, 16).map((disk) => ({ ...disk })) : [],
    interfaces: fits ? interfaces.slice(0, 8).map((card) => ({ ...card })) : [],
    hardware: cut(hardware, limits.hardware),
    obstacles: obstacles.slice(0, limits.obstacles).map(({ field, message }) => ({
      field: cut(field, limits.foundText),
      message: cut(message, limits.shownValue),
    })),
  };
}

const IMAGE = {
  field: 'image',
  message: 'Its memory is kept on disk: start it, or remove that (virsh managedsave-remove).',
};
const TOO_LARGE = {
  field: 'domain',
  message: 'A name or the command line in it is longer than a VirtualMachine can say.',
};

function commandLineOf(boot: BootSource | undefined): string | undefined {
  return boot?.kind === 'Kernel' ? boot.commandLine : undefined;
}

function bootFound(boot: BootSource): Found['boot'] {
  switch (boot.kind) {
    case 'Disk':
      return { disk: boot.disk };
    case 'Network':
      return { interface: boot.interface };
    case 'Kernel': {
      const { kind: _kernel, ...files } = boot;
      return files;
    }
  }
}

/** Undefined where it is larger than anything that we write: cut short it would be worth nothing. */
function marksOf({ uid, namespace, name, epoch, payload, signature, latest }: DomainMetadata): Marks | undefined {
  const signed = latest ?? { payload, signature };
  const texts = [uid, namespace, name].every((text) => text.length <= limits.markedName);
  if (!texts || signed.payload.length > limits.payload || signed.signature.length > SIGNATURE) return undefined;
  return { uid, namespace, name, epoch, ...signed };
}

/** Of Ed25519, in base64. */
const SIGNATURE = 88;

/** The API counts characters, of which those outside the basic plane take two places in a string. */
function cut(text: string, characters: number): string {
  return Array.from(text.toWellFormed()).slice(0, characters).join('');
}
