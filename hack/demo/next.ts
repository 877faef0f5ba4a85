// What the user may try now.
import { dirname, isAbsolute } from 'node:path';
import { command } from '../hypervisor-host/command.ts';
import { REPOSITORY } from '../repository.ts';
import type { Site } from '../site/site.ts';
import { DIRECTORY, KUBECONFIG } from './places.ts';
import { homeOf } from './story.ts';
import { heading, say } from './terminal.ts';

/** The last chapter: commands, each with what it shows. */
export async function sayWhatToTry(site: Site): Promise<void> {
  const machine = await homeOf(site, 'hello');
  const { kubectl } = site.controlPlane;
  heading('It is yours now');
  const tries: [string, string][] = [
    [`export KUBECONFIG=${KUBECONFIG}`, ''],
    ...(await programsInReach(kubectl)),
    ['kubectl get uvm,uhv -o wide', 'everything there is'],
    ['kubectl describe uvm web-2', 'the whole story of one VM'],
    ['kubectl explain uvm.spec', 'what a VM can ask for'],
    [
      'kubectl edit uvm hello',
      'change spec.resources.memory: the guest runs on, and the VM says that it needs a restart',
    ],
    [`kubectl patch uvm hello --type merge -p '{"spec":{"powerState":"Stopped"}}'`, 'shut it down'],
    [`sed 's/name: hello/name: another/' ${REPOSITORY}/examples/first-vm.yaml | kubectl apply -f -`, 'one more VM'],
    ['kubectl delete uvm web-1', 'shut it down, for which this one has 20 seconds, and forget it'],
  ];
  if (machine?.kind === 'qemu') {
    tries.push([
      `virsh -c '${machine.host.uri}' list --all`,
      `what libvirt has on ${machine.name}, where hello is now`,
    ]);
    tries.push([`tail -f ${machine.host.consoleDirectory}/*.log`, 'what the guests say']);
    tries.push([
      `virsh -c '${machine.host.uri}' console default.hello`,
      'a shell in the guest: press Enter, and Ctrl-] to leave',
    ]);
  }
  tries.push([`tail -f ${DIRECTORY}/logs/*.log`, 'what the operator and the daemons do']);
  tries.push(['make demo-down', 'remove all of it']);
  for (const [command, meaning] of tries) say(meaning === '' ? `  ${command}` : `  ${command}\n      ${meaning}`);
}

/** The kubectl that was built with the control plane, where the user has none. */
async function programsInReach(kubectl: string): Promise<[string, string][]> {
  if (!isAbsolute(kubectl)) return [];
  return command('sh', '-c', 'command -v kubectl').then(
    () => [],
    () => [[`export PATH=${dirname(kubectl)}:$PATH`, '']],
  );
}
