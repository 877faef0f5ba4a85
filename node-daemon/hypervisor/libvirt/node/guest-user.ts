// As whom libvirt runs the processes of guests, which its capabilities tell by number.

const OWNER = /<baselabel type='(?:qemu|kvm)'>\+(?<user>[0-9]+):\+(?<group>[0-9]+)<\/baselabel>/;

/** Whether user or group of a guest's process is root's: what libvirt calls tainted by high privileges. */
export function runsGuestsAsRoot(capabilities: string): boolean {
  const { user, group } = OWNER.exec(capabilities)?.groups ?? {};
  return user === '0' || group === '0';
}
