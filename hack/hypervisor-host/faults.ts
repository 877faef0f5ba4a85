// What goes wrong on a machine, on purpose: libvirt and guests killed, or hanging.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HypervisorHost, inside, untilLibvirtAnswers } from './host.ts';

/** Kills libvirtd as a crash would. It comes back by itself, at once or when `releaseLibvirt` is called. */
export async function killLibvirt(
  host: HypervisorHost,
  hold: 'comes back' | 'stays away' = 'comes back',
): Promise<void> {
  if (hold === 'stays away') await writeFile(join(host.directory, 'hold'), '');
  await signalLibvirt(host, 'KILL');
}

/** Lets libvirtd come back that was to stay away; returns when it answers. */
export async function releaseLibvirt(host: HypervisorHost): Promise<void> {
  await rm(join(host.directory, 'hold'), { force: true });
  await untilLibvirtAnswers(host);
}

/**
 * What an administrator has to do where libvirtd was killed while it started a guest that runs as root: libvirt 9 keeps
 * such a domain as `paused (starting up)` for ever, without a process, and refuses whatever is asked of it.
 */
export async function forgetUnfinishedStarts(host: HypervisorHost): Promise<void> {
  const states = join(host.directory, 'run', 'qemu');
  const files = (await readdir(states)).filter((name) => name.endsWith('.xml'));
  const texts = await Promise.all(files.map(async (name) => readFile(join(states, name), 'utf8').catch(() => '')));
  const unfinished = files.filter((_, index) => texts[index]?.includes("reason='starting up' pid='0'"));
  if (unfinished.length === 0) return;
  await killLibvirt(host, 'stays away');
  await Promise.all(unfinished.map(async (name) => rm(join(states, name))));
  await releaseLibvirt(host);
}

/** libvirt does not take up a domain without a process, so it waits for ever for the end of this. */
const START_UNDER_WAY = "<job type='none' async='start' flags='0x0' asyncStarted='1795874113026'/>";

/** A guest that runs as root, as libvirtd leaves it that was killed in the middle of its start. See ADR 11. */
export async function leaveStartUnfinished(host: HypervisorHost, domain: string): Promise<void> {
  const state = join(host.directory, 'run', 'qemu', `${domain}.xml`);
  await killLibvirt(host, 'stays away');
  await signalGuest(host, domain, 'KILL');
  const running = await readFile(state, 'utf8');
  await writeFile(
    state,
    running.replace(/<domstatus [^>]*>/, `<domstatus state='paused' reason='starting up' pid='0'>${START_UNDER_WAY}`),
  );
  await releaseLibvirt(host);
}

/** STOP and CONT make it hang and go on. */
export async function signalLibvirt(host: HypervisorHost, signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
  const pid = (await readFile(join(host.directory, 'run', 'libvirtd.pid'), 'utf8')).trim();
  await inside(host, 'kill', `-${signal}`, pid);
}

/** The guest's process, as the machine numbers it, killed by a signal behind everybody's back. */
export async function signalGuest(
  host: HypervisorHost,
  domain: string,
  signal: 'KILL' | 'TERM' | 'STOP' | 'CONT',
): Promise<void> {
  const pid = (await readFile(join(host.directory, 'run', 'qemu', `${domain}.pid`), 'utf8')).trim();
  await inside(host, 'kill', `-${signal}`, pid);
}
