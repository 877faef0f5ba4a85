// How much the API takes of what programs tell and may have to cut: set by the schema, kept by whoever writes.

export const limits = {
  /** Characters of a sentence in a status; conditions have room for more. */
  sentence: 1024,
  /** Entries of status.transitions and status.decisions: the latest are kept. */
  transitions: 16,
  decisions: 16,
  addresses: 32,
  /** Characters of a value that is shown in status.pendingChanges. */
  shownValue: 256,
  /** Guests that a Hypervisor lists though nobody declared them, and characters of the name of one. */
  unmanaged: 64,
  unmanagedName: 253,
  /** Storage pools that a Hypervisor says it shares. */
  sharedPools: 64,
  /** Characters of what the operator signed for a guest, and of a name that a guest bears: larger ones are not ours. */
  payload: 65_536,
  markedName: 253,
  /** Characters of the name of a hold. */
  hold: 64,
  /** What of a foreign guest a VirtualMachine cannot say: entries that are listed, and characters of how it is built. */
  obstacles: 16,
  hardware: 256,
  foundText: 253,
  /** Guests of one node that DomainReports are made of. */
  domainReports: 512,
  /** Characters of a version, of the hypervisor or of its daemon. */
  version: 64,
  /** VMs that one operation works on at a time, and those whose results it holds in full. */
  activeTargets: 100,
  results: 100,
} as const;
