// What a guest is made of.
import { NO_LIMITS } from '#crds/resources.ts';
import type { DomainDefinition } from '../driver.ts';
import type { MachineOptions } from './machine-options.ts';

/** What a definition decides and a later one may change. */
export function partsOf(definition: DomainDefinition, options: MachineOptions) {
  const { cpus, memoryBytes, metadata, interfaces, limits = NO_LIMITS } = definition;
  const { boot, disks } = definition;
  const macAddresses = interfaces.map(({ macAddress }) => macAddress);
  const made = { built: { boot, disks, interfaces }, hardware: 'as defined', obstacles: [] };
  return {
    cpus,
    memoryBytes,
    metadata,
    released: false,
    limits,
    macAddresses,
    ...made,
    load: options.load(definition),
  };
}
