// The network cards of a domain, as libvirt describes it.
import { childrenOf, onlyChild, parseGuarded } from './read-xml.ts';

export interface NetworkCard {
  readonly macAddress: string;
  readonly network: string;
}

/** Those that are plugged into one of libvirt's networks. Never throws. */
export function parseCards(xml: string): NetworkCard[] {
  const devices = onlyChild(parseGuarded(xml), null, 'devices');
  return childrenOf(devices, null, 'interface').flatMap((card) => {
    const macAddress = onlyChild(card, null, 'mac')?.getAttribute('address') ?? '';
    const network = onlyChild(card, null, 'source')?.getAttribute('network') ?? '';
    return macAddress === '' || network === '' ? [] : [{ macAddress, network }];
  });
}
