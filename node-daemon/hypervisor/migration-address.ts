// Under which addresses libvirt takes guests in from elsewhere.
import { DriverError } from './errors.ts';

export interface MigrationAddress {
  /** tls: what is sent is encrypted, and both sides show certificates. tcp is for networks where nobody else is. */
  readonly transport: 'tls' | 'tcp';
  /** As in a URI: IPv6 addresses in brackets. */
  readonly host: string;
}

const ADDRESS = /^qemu\+(tls|tcp):\/\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?\/system$/;

/** What is wrong with it; undefined where it is one. */
export function migrationAddressFault(text: string): string | undefined {
  if (ADDRESS.test(text)) return undefined;
  return 'must be qemu+tls://, the name of this machine as others know it, and /system: for example qemu+tls://kvm1.example.org/system';
}

/** Where a guest can be sent to from a machine that is reached under `own` itself. Throws Invalid. */
export function parseTarget(text: string, own: string): MigrationAddress {
  const [target, here] = [partsOf(text), partsOf(own)];
  if (target === undefined)
    throw new DriverError(
      'Invalid',
      `'${text.slice(0, 200)}' is no address for migrations: it ${migrationAddressFault(text)}`,
    );
  if (target.transport !== here?.transport) {
    const ways = `this hypervisor takes guests in by ${here?.transport}, and sends them only likewise`;
    throw new DriverError('Invalid', `${text} is reached by ${target.transport}; ${ways}`);
  }
  return target;
}

function partsOf(text: string): MigrationAddress | undefined {
  const [, transport, host = ''] = ADDRESS.exec(text) ?? [];
  return transport === 'tls' || transport === 'tcp' ? { transport, host } : undefined;
}
