// Gathers what the XML of a domain needs besides its definition.
import { join } from 'node:path';
import type { DomainDefinition } from '../driver.ts';
import { DriverError } from '../errors.ts';
import { resolveBootFiles } from './boot-files.ts';
import type { BuildContext } from './domain-xml/domain-type.ts';
import type { Hypervisor } from './node/hypervisor.ts';
import type { Ask } from './rpc/domain-calls.ts';
import { getVolumePath } from './rpc/storage-calls.ts';
import type { LibvirtDriverOptions } from './settings.ts';

export interface ContextSources {
  readonly options: Pick<LibvirtDriverOptions, 'bootDirectory' | 'consoleLogDirectory'>;
  readonly hypervisor: Hypervisor;
  readonly ask: Ask;
}

/** `definition` was checked. Rejects with Invalid, naming the field, where a file or a volume is not there. */
export async function buildContext(definition: DomainDefinition, sources: ContextSources): Promise<BuildContext> {
  const { options, hypervisor, ask } = sources;
  const bootFiles = await resolveBootFiles(options.bootDirectory, definition.boot);
  const [type, architecture] = await Promise.all([hypervisor.domainType(), hypervisor.architecture()]);
  const { consoleLogDirectory } = options;
  return {
    type,
    architecture,
    ...(bootFiles === undefined ? {} : { bootFiles }),
    ...(consoleLogDirectory === undefined ? {} : { consoleLog: join(consoleLogDirectory, `${definition.name}.log`) }),
    ...(definition.limits === undefined ? {} : { defaultShares: await defaultShares(hypervisor) }),
    ...(type === 'lxc' ? { volumePaths: await volumePaths(definition, ask) } : {}),
  };
}

/** Of a guest that says nothing, in this machine's own measure. Rejects with Unsupported where there is none. */
export async function defaultShares(hypervisor: Hypervisor): Promise<number> {
  const tuning = await hypervisor.cpuTuning();
  if (tuning.works) return tuning.defaultShares;
  throw new DriverError('Unsupported', `CPU time cannot be guaranteed or limited: ${tuning.why}`);
}

async function volumePaths({ disks }: DomainDefinition, ask: Ask): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const [index, { name, pool, volume }] of disks.entries()) {
    try {
      paths.set(name, await getVolumePath(ask, pool, volume));
    } catch (error) {
      if (error instanceof DriverError && error.reason === 'Failed') {
        throw new DriverError('Invalid', `disks[${index}]: ${error.message}`, error);
      }
      throw error;
    }
  }
  return paths;
}
