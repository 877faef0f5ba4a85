// The main job from beginning to end: a site, three VMs, what they say, a guest killed behind the system's back.
import { guestImageObstacle } from '../hypervisor-host/guest/image.ts';
import { hostObstacle } from '../hypervisor-host/host-life.ts';
import { announce, elapsedText } from '../progress.ts';
import { type Site, startSite } from '../site/site.ts';
import { isDemoThere } from './down.ts';
import { sayWhatToTry } from './next.ts';
import { DIRECTORY, MACHINE_DIRECTORY } from './places.ts';
import { killOneGuest, runGuests, showGuests } from './story.ts';
import { heading, Kubectl, say } from './terminal.ts';

const MACHINES = ['hv1', 'hv2'];

/** Brings the demo up, shows it at work, and leaves it running. Rejects, with everything stopped, where it cannot. */
export async function demoUp(): Promise<void> {
  if (isDemoThere()) {
    throw new Error('there is one already, or what is left of one. Remove it with make demo-down, then try again');
  }
  const began = performance.now();
  const hypervisor = await chooseHypervisor();
  heading('A site on this machine');
  const site = await startSite({
    directory: DIRECTORY,
    machineDirectory: MACHINE_DIRECTORY,
    machineNames: MACHINES,
    hypervisor,
    lifetime: 'detached',
    announce: (text) => say(`  ${text} …`),
  });
  await orStop(site, async () => tellStory(site));
  await sayWhatToTry(site);
  announce(`\nThe demo took ${elapsedText(performance.now() - began)}, without what had to be built first.`);
}

async function tellStory(site: Site): Promise<void> {
  const kubectl = new Kubectl(site.controlPlane);
  await runGuests(site, kubectl);
  await showGuests(site, kubectl);
  await killOneGuest(site, kubectl);
}

async function orStop(site: Site, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    say(`  The logs of what ran are in ${DIRECTORY}/logs; make demo-down removes everything.`);
    await site.stop();
    throw error;
  }
}

async function chooseHypervisor(): Promise<'qemu' | 'simulated'> {
  const obstacle = (await hostObstacle()) ?? (await guestImageObstacle());
  if (obstacle === undefined) return 'qemu';
  say('\n  NO REAL GUESTS: the hypervisors of this demo are simulated, everything else is real.');
  say(`  The reason: ${obstacle}.`);
  return 'simulated';
}
