// The directory of a host: what libvirt finds as /etc/libvirt, /var/lib/libvirt and so on once it is inside.
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** sun_path of unix(7), without the zero at its end. */
const MAX_SOCKET_PATH = 107;

export interface HostPaths {
  readonly directory: string;
  readonly socket: string;
  readonly consoleLogs: string;
  readonly log: string;
  readonly networkXml: string;
}

export function hostPaths(directory: string): HostPaths {
  return {
    directory,
    socket: join(directory, 'run/libvirt/libvirt-sock'),
    consoleLogs: join(directory, 'console'),
    log: join(directory, 'libvirtd.log'),
    networkXml: join(directory, 'network.xml'),
  };
}

/** Rejects where the directory's path is too long for a socket in it. */
export async function prepareDirectory(paths: HostPaths, name: string): Promise<void> {
  if (Buffer.byteLength(paths.socket) > MAX_SOCKET_PATH) {
    throw new Error(`${paths.socket} is too long for a socket (${MAX_SOCKET_PATH} bytes at most): choose a shorter directory`);
  }
  for (const part of ['run/libvirt', 'etc/libvirt/qemu', 'var/lib/libvirt/qemu', 'var/cache/libvirt', 'var/log/libvirt']) {
    await mkdir(join(paths.directory, part), { recursive: true });
  }
  await mkdir(paths.consoleLogs, { recursive: true });
  // libvirt asks for the address of its own name before every start, and waits ten seconds for a server that is not there.
  await writeFile(join(paths.directory, 'hosts'), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
  await writeFile(join(paths.directory, 'etc/libvirt/libvirtd.conf'), libvirtdConfiguration(paths));
  await writeFile(join(paths.directory, 'etc/libvirt/qemu.conf'), QEMU_CONFIGURATION);
}

/** Guests get addresses from 10.77.<number>.0/24. Packets are forwarded, and nothing is translated or filtered. */
export function networkXml(number: number): string {
  return `<network>
  <name>default</name>
  <forward mode='open'/>
  <bridge name='virbr0' stp='off' delay='0'/>
  <ip address='10.77.${number}.1' netmask='255.255.255.0'>
    <dhcp><range start='10.77.${number}.10' end='10.77.${number}.250'/></dhcp>
  </ip>
</network>
`;
}

/** Without polkit only the socket's mode keeps others out: it is root's. Two hosts on one machine need two identities. */
function libvirtdConfiguration({ log }: HostPaths): string {
  return `auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
host_uuid = "${randomUUID()}"
log_outputs = "2:file:${log}"
`;
}

/** There is no systemd to ask for scopes, no security module, and no virtlogd for the consoles. */
const QEMU_CONFIGURATION = `user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
`;
