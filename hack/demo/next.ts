// What the user may try now.
import { dirname, isAbsolute, relative } from 'node:path';
import type { Site } from '../site/site.ts';
import { DIRECTORY, KUBECONFIG } from './places.ts';
import { heading, say } from './terminal.ts';

/** The last chapter: commands, each with what it shows. */
export function sayWhatToTry(site: Site): void {
  const [machine] = site.machines;
  const { kubectl } = site.controlPlane;
  heading('5. It is yours now');
  const tries: [string, string][] = [
    [`export KUBECONFIG=${KUBECONFIG}`, ''],
    ...programsInReach(kubectl),
    ['kubectl get uvm,uhv -o wide', 'everything there is'],
    ['kubectl describe uvm web-2', 'the whole story of one VM'],
    ['kubectl explain uvm.spec', 'what a VM can ask for'],
    ['kubectl edit uvm hello', 'change the memory: it says that a restart is needed'],
    [`kubectl patch uvm hello --type merge -p '{"spec":{"powerState":"Stopped"}}'`, 'shut it down'],
    ['kubectl delete uvm web-1', 'shut it down and forget it'],
  ];
  if (machine?.kind === 'qemu') {
    tries.push([`virsh -c '${machine.host.uri}' list --all`, `what libvirt of ${machine.name} has`]);
    tries.push([`tail -f ${machine.host.consoleDirectory}/*.log`, 'serial consoles']);
  }
  tries.push([`tail -f ${relative(process.cwd(), DIRECTORY)}/logs/*.log`, 'what the operator and the daemons do']);
  tries.push(['make demo-down', 'remove all of it']);
  for (const [command, meaning] of tries) say(meaning === '' ? `  ${command}` : `  ${command}\n      ${meaning}`);
}

/** The kubectl that was built with the control plane: the machine may have none, or one of another version. */
function programsInReach(kubectl: string): [string, string][] {
  return isAbsolute(kubectl) ? [[`export PATH=${dirname(kubectl)}:$PATH`, '']] : [];
}
