// What a deletion waits for, and how it is forced by whoever knows better than Usher can.
import { FORCE_DELETE_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

/**
 * Whether somebody who may change the VM has taken upon himself that its guest may run on: by the name of the hypervisor
 * that holds it, so that no manifest says so by chance, and for no other hypervisor than the one it was said of.
 */
export function isForced({ metadata, status }: VirtualMachine): boolean {
  const accepted = metadata.annotations?.[FORCE_DELETE_ANNOTATION];
  return (
    metadata.deletionTimestamp !== undefined && accepted !== undefined && accepted === status?.placement?.hypervisor
  );
}

/** Whether the guest is to outlive the VM: as its spec says, or as an operation that deletes it does. */
export function outlivesDeletion({ spec, status }: Pick<VirtualMachine, 'spec' | 'status'>): boolean {
  const operation = status?.granted?.operation;
  const isAsked = operation?.type === 'Release' && operation.epoch === status?.placement?.epoch;
  return spec.deletionPolicy === 'Release' || isAsked;
}

/** How to force it, for whoever reads why it does not go on. */
export function forceInWords({ metadata }: Pick<VirtualMachine, 'metadata'>, hypervisor: string): string {
  const { name, namespace } = metadata;
  const command = `kubectl annotate uvm ${name} --namespace ${namespace} ${FORCE_DELETE_ANNOTATION}=${hypervisor}`;
  return `With ${command} it is forgotten all the same, though its guest may run on.`;
}

/** What became of the guest: "is gone" or "was released". */
export function goneInWords(vm: Pick<VirtualMachine, 'spec' | 'status'>): string {
  return outlivesDeletion(vm) ? 'was released' : 'is gone';
}

/** What the daemon is at, and how it is hurried. */
export function waitingInWords(vm: Pick<VirtualMachine, 'spec' | 'status'>, hypervisor: string): string {
  if (outlivesDeletion(vm)) return `Waiting for ${hypervisor} to let go of the guest, which runs on.`;
  const { mode, gracePeriodSeconds } = vm.spec.powerOff;
  const waiting = `Waiting for ${hypervisor} to stop and remove the guest`;
  if (mode === 'Graceful')
    return `${waiting}, however long it takes to shut down. To have its plug pulled, set spec.powerOff.mode to Force.`;
  return mode === 'Force'
    ? `${waiting}.`
    : `${waiting}, whose plug is pulled ${gracePeriodSeconds} s after it was asked.`;
}
