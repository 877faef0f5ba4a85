// Names that appear in objects and must never be spelled twice.

export const GROUP = 'usher.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Holds a VirtualMachine until its guest is known to be gone. Added at CREATE by an admission policy. */
export const VM_FINALIZER = 'usher.dev/virtual-machine';

/** The user who created the object, stamped by an admission policy; nobody can write it. */
export const REQUESTER_ANNOTATION = 'usher.dev/requester';

/** Their groups, one a line, on operations: rights come by groups too. Stamped like the requester. */
export const REQUESTER_GROUPS_ANNOTATION = 'usher.dev/requester-groups';

/** uid of the operation that created the VM. Operator only. */
export const OPERATION_ANNOTATION = 'usher.dev/operation';

/** Under this name operations declare what a VM's spec.powerState shall be, by server-side apply. */
export const OPERATIONS_MANAGER = 'usher-operations';

/** The uuid of the hypervisor's domain where it is not the object's uid (adopted and rebuilt VMs). Operator only. */
export const INSTANCE_UUID_ANNOTATION = 'usher.dev/instance-uuid';

/** The hypervisor that has the guest a VM is to adopt, and no other may give it one. Operator only. */
export const ADOPTED_FROM_ANNOTATION = 'usher.dev/adopted-from';

/** On a VM that is being deleted: the hypervisor on which its guest may run on, as whoever writes it accepts. */
export const FORCE_DELETE_ANNOTATION = 'usher.dev/force-delete';

/** Whether an annotation is one of ours. Others are other programs' affair, and may be large. */
export function isOurAnnotation(name: string): boolean {
  const [prefix = ''] = name.split('/', 1);
  return name.includes('/') && (prefix === GROUP || prefix.endsWith(`.${GROUP}`));
}

/** Where operator, leases and keys live unless told otherwise. */
export const SYSTEM_NAMESPACE = 'usher-system';

export const OPERATOR_SERVICE_ACCOUNT = 'usher-operator';
export const NODE_DAEMON_SERVICE_ACCOUNT = 'usher-node-daemon';

/** The heartbeat Lease of a hypervisor lies in SYSTEM_NAMESPACE under this name. */
export function heartbeatLeaseName(hypervisor: string): string {
  return `hypervisor-${hypervisor}`;
}

/** Marks the heartbeat Leases so that the operator can watch them alone. */
export const HEARTBEAT_LABEL = 'usher.dev/hypervisor';

/** The ConfigMap in SYSTEM_NAMESPACE that holds the list of known hypervisors: with the signing key, what a site backs up. */
export const SITE_RECORD = 'usher-site';

/** On that ConfigMap: the hold that a person ends, though not every hypervisor has reported. */
export const CONFIRM_HOLD_ANNOTATION = 'usher.dev/confirm-hold';

/** The operator's leader-election Lease. */
export const LEADER_LEASE = 'usher-operator';

/** On a heartbeat Lease: what the guard of that machine has promised, as `guardPromise` reads it. */
export const GUARD_ANNOTATION = 'usher.dev/guard';

/** Holds the heartbeat Lease of a machine that fell silent, while its VMs are started elsewhere. */
export const RECOVERY_HOLDER = 'usher-operator/recovery';

/** On a heartbeat Lease that an operator has taken: what proved that the guests of the machine are dead. */
export const PROOF_ANNOTATION = 'usher.dev/proof';

/** Under which name the operator puts a spec back that was lost with the control plane. Admission knows it. */
export const REBUILD_MANAGER = 'usher-rebuild';
