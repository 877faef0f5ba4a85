// Addresses of simulated guests, so that they need no memory and never change.

/**
 * The address that belongs to a hardware address: 10.x.y.z with its last three bytes, which are the ones that differ
 * under one vendor's prefix.
 */
export function addressOf(macAddress: string): string {
  const bytes = macAddress.split(':').map((byte) => Number.parseInt(byte, 16));
  return ['10', ...bytes.slice(-3)].join('.');
}
