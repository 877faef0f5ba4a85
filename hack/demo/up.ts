// The main job from beginning to end: a site, three VMs, what they say, a guest killed behind the system's back.
import { guestImageObstacle } from '../hypervisor-host/guest/image.ts';
import { hostObstacle } from '../hypervisor-host/host-life.ts';
import { announce, elapsedText } from '../progress.ts';
import { type Site, startSite } from '../site/site.ts';
import { isDemoThere } from './down.ts';
import { sayWhatToTry } from './next.ts';
import { DIRECTORY, KUBECONFIG, MACHINE_DIRECTORY } from './places.ts';
import { killOneGuest, runGuests, showGuests } from './story.ts';
import { heading, Kubectl, say } from './terminal.ts';

const MACHINES = ['hv1', 'hv2'];

/** Brings the demo up, shows it at work, and leaves it running. Rejects, with everything stopped, where it cannot. */
export async function demoUp(): Promise<void> {
  if (isDemoThere()) {
    const words = 'a demo is up already, or what is left of one';
    throw new Error(`${words}. To use it: export KUBECONFIG=${KUBECONFIG}. To remove it: make demo-down`);
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
  const kubectl = new Kubectl(site.controlPlane);
  await orStop(site, kubectl, async () => tellStory(site, kubectl));
  await sayWhatToTry(site);
  announce(`\nThe demo took ${elapsedText(performance.now() - began)}, without what had to be built first.`);
}

async function tellStory(site: Site, kubectl: Kubectl): Promise<void> {
  await runGuests(site, kubectl);
  await showGuests(site, kubectl);
  await killOneGuest(site, kubectl);
}

/** What each VM and hypervisor says of itself is most of what there is to know, and cannot be asked afterwards. */
async function orStop(site: Site, kubectl: Kubectl, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    heading('This is not how it should be');
    await kubectl.show('get', 'uvm,uhv', '-o', 'wide').catch(() => undefined);
    await site.stop();
    const logs = `Logs: ${DIRECTORY}/logs/operator.log, node-daemon-hv1.log, …; make demo-down removes everything.`;
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logs}`, { cause: error });
  }
}

async function chooseHypervisor(): Promise<'qemu' | 'simulated'> {
  const obstacle = (await hostObstacle()) ?? (await guestImageObstacle());
  if (obstacle === undefined) return 'qemu';
  say('\n  NO REAL GUESTS: the hypervisors of this demo are simulated, everything else is real.');
  say(`  The reason: ${obstacle}.`);
  return 'simulated';
}
