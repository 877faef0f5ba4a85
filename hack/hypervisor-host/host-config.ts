// What libvirt is told on a machine without systemd, polkit, or any cgroup but that for CPU time.
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTROLLERS } from './host-cgroup.ts';

/** Other machines of this kind send guests here: without a password, as nobody else is in their network namespaces. */
function libvirtdConfig(uuid: string, directory: string): string {
  return `listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
host_uuid = "${uuid}"
log_outputs = "2:file:${directory}/libvirtd.log"
`;
}

/** Guests run as the user that the distribution made for them: libvirt forgets none of those in the middle of a start. */
const qemuConfig = (controllers: string) => `security_driver = "none"
cgroup_controllers = [ ${controllers} ]
namespaces = [ ]
stdio_handler = "file"
lock_manager = "lockd"
`;

/** Guests get addresses by DHCP and are routed, not translated: the machine itself can reach them. */
export function networkXml(network: number): string {
  return `<network>
  <name>default</name>
  <forward mode='open'/>
  <bridge name='virbr0' stp='off' delay='0'/>
  <ip address='10.77.${network}.1' netmask='255.255.255.0'>
    <dhcp><range start='10.77.${network}.2' end='10.77.${network}.254'/></dhcp>
  </ip>
</network>
`;
}

/** The directories and files of one machine, made ready for libvirtd. `sharesCpuTime`: it has a cgroup for that. */
export async function writeHostConfig(directory: string, uuid: string, sharesCpuTime: boolean): Promise<void> {
  for (const part of [
    'run',
    'etc/qemu/networks',
    'lib/qemu',
    'lib/dnsmasq',
    'lib/images',
    'lib/boot',
    'cache/qemu',
    'log/qemu',
    'console',
  ]) {
    await mkdir(join(directory, part), { recursive: true });
  }
  for (const part of ['lib', 'lib/qemu', 'cache/qemu']) await ownedByRoot(join(directory, part));
  await writeFile(join(directory, 'etc/libvirtd.conf'), libvirtdConfig(uuid, directory));
  await writeFile(
    join(directory, 'etc/qemu.conf'),
    qemuConfig(sharesCpuTime ? CONTROLLERS.map((name) => `"${name}"`).join(', ') : ''),
  );
}

async function ownedByRoot(path: string): Promise<void> {
  await chown(path, 0, 0);
  await chmod(path, 0o755);
}
