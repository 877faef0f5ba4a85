// Can this machine run libvirt hosts with real guests? And if not: why, and what to do.
import { command } from './command.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const PACKAGES: Readonly<Record<string, string>> = {
  'libvirtd': 'libvirt-daemon-system',
  'virsh': 'libvirt-clients',
  'qemu-system-x86_64': 'qemu-system-x86',
  'dnsmasq': 'dnsmasq-base',
  'ip': 'iproute2',
  'unshare': 'util-linux',
  'nsenter': 'util-linux',
  'setpriv': 'util-linux',
};

/** Tries the namespaces it needs; leaves nothing behind. */
export async function canRunHosts(): Promise<Verdict> {
  if (process.getuid?.() !== 0) {
    return { ok: false, reason: 'libvirt hosts need network and mount namespaces: run as root' };
  }
  const missing = await missingPackages(PACKAGES);
  if (missing.length > 0) {
    return { ok: false, reason: `missing Debian packages: apt-get install ${missing.join(' ')}` };
  }
  return tried('unshare', '--net', '--mount', '--uts', '--pid', '--fork', 'ip', 'link', 'add', 'try0', 'type', 'veth');
}

/** Whether `startTestDriver` can work. */
export async function canRunTestDriver(): Promise<Verdict> {
  const missing = await missingPackages({ libvirtd: 'libvirt-daemon-system', setpriv: 'util-linux' });
  return missing.length === 0
    ? { ok: true }
    : { ok: false, reason: `missing Debian packages: apt-get install ${missing.join(' ')}` };
}

async function missingPackages(packages: Readonly<Record<string, string>>): Promise<string[]> {
  const missing = new Set<string>();
  for (const [binary, name] of Object.entries(packages)) {
    await command('sh', '-c', 'command -v "$1"', 'sh', binary).catch(() => missing.add(name));
  }
  return [...missing];
}

async function tried(file: string, ...args: string[]): Promise<Verdict> {
  try {
    await command(file, ...args);
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: `the kernel refuses namespaces or virtual links: ${String(error)}` };
  }
}
