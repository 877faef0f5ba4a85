// What a daemon says of a guest that nobody declares.

import { formatQuantity } from '#crds/quantity.ts';
import type { DomainReportStatus, Marks } from '#crds/v1alpha1/domain-report.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { Domain, DomainMetadata } from '../hypervisor/driver.ts';

/** A domain that belongs to no VirtualMachine here. */
export interface Unowned {
  readonly domain: Domain;
  readonly reason: 'Foreign' | 'Orphaned';
}

/** The daemon's part of a report. Pure. */
export function contentOf({ domain, reason }: Unowned, bootID: string): Omit<DomainReportStatus, 'verdict'> {
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
    },
    ...(marks === undefined ? {} : { marks }),
  };
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
