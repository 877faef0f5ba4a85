// The disks of a domain, as libvirt describes it.
import { childrenOf, onlyChild, parseGuarded } from './read-xml.ts';

export interface VolumeUse {
  /** Empty where the disk is no volume of a pool. */
  readonly pool: string;
  readonly volume: string;
  /** The file or block device, where the domain names it itself. */
  readonly path: string;
  readonly format: string;
  readonly readOnly: boolean;
}

/** In the order of the domain. Never throws. */
export function parseVolumes(xml: string): VolumeUse[] {
  const devices = onlyChild(parseGuarded(xml), null, 'devices');
  return childrenOf(devices, null, 'disk').map((disk) => {
    const source = onlyChild(disk, null, 'source');
    const of = (name: string) => source?.getAttribute(name) ?? '';
    return {
      pool: of('pool'),
      volume: of('volume'),
      path: of('file') || of('dev'),
      format: onlyChild(disk, null, 'driver')?.getAttribute('type') ?? '',
      readOnly: childrenOf(disk, null, 'readonly').length > 0,
    };
  });
}
