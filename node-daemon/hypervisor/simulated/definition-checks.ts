// What the simulated hypervisor cannot make: the checks that a real one makes as well.
import type { BootSource, DomainDefinition } from '../driver.ts';
import { DriverError } from '../errors.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAC_ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** Throws Invalid, naming the field. `bootFiles` are those there are; any name will do where it is undefined. */
export function checkDefinition(definition: DomainDefinition, bootFiles: ReadonlySet<string> | undefined): void {
  const { uuid, name, cpus, memoryBytes, interfaces } = definition;
  demand(UUID.test(uuid), `uuid ${JSON.stringify(uuid)}: must be a lower-case UUID`);
  demand(name !== '' && !name.includes('/'), `name ${JSON.stringify(name)}: must not be empty or contain a slash`);
  demand(Number.isSafeInteger(cpus) && cpus > 0, `cpus ${cpus}: must be a whole number above 0`);
  demand(Number.isSafeInteger(memoryBytes) && memoryBytes > 0, `memoryBytes ${memoryBytes}: must be above 0`);
  for (const { name: interfaceName, macAddress } of interfaces) {
    demand(MAC_ADDRESS.test(macAddress), `interface ${interfaceName}: ${macAddress} is no hardware address`);
  }
  checkBoot(definition, definition.boot, bootFiles);
}

function checkBoot(definition: DomainDefinition, boot: BootSource, bootFiles: ReadonlySet<string> | undefined): void {
  switch (boot.kind) {
    case 'Kernel':
      checkBootFile('boot.image', boot.image, bootFiles);
      if (boot.initrd !== undefined) {
        checkBootFile('boot.initrd', boot.initrd, bootFiles);
      }
      return;
    case 'Disk':
      demand(
        definition.disks.some(({ name }) => name === boot.disk),
        `boot.disk: there is no disk ${boot.disk}`,
      );
      return;
    case 'Network': {
      const found = definition.interfaces.some(({ name }) => name === boot.interface);
      demand(found, `boot.interface: there is no interface ${boot.interface}`);
    }
  }
}

function checkBootFile(field: string, file: string, bootFiles: ReadonlySet<string> | undefined): void {
  demand(FILE_NAME.test(file), `${field} ${JSON.stringify(file)}: must be a file name, not a path`);
  demand(bootFiles?.has(file) ?? true, `${field}: there is no ${file} in the boot directory of this node`);
}

function demand(condition: boolean, message: string): void {
  if (!condition) {
    throw new DriverError('Invalid', message);
  }
}
