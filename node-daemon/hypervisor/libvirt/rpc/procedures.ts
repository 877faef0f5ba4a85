// Numbers from libvirt's remote_protocol.x and its public headers. They never change: old and new talk to each other.

export const PROCEDURE = {
  connectOpen: 1,
  connectGetType: 3,
  connectGetVersion: 4,
  nodeGetInfo: 6,
  connectGetCapabilities: 7,
  domainCreateXml: 10,
  domainGetInfo: 16,
  domainGetXmlDesc: 14,
  domainLookupByName: 23,
  domainLookupByUuid: 24,
  domainReboot: 27,
  domainResume: 28,
  domainSuspend: 34,
  networkLookupByName: 46,
  connectSupportsFeature: 60,
  authList: 66,
  storagePoolLookupByName: 84,
  storageVolLookupByName: 95,
  storageVolLookupByPath: 97,
  storageVolGetPath: 100,
  nodeGetFreeMemory: 102,
  networkIsActive: 152,
  connectGetLibVersion: 157,
  domainAbortJob: 164,
  domainManagedSave: 182,
  domainHasManagedSaveImage: 183,
  domainManagedSaveRemove: 184,
  domainCreateWithFlags: 196,
  domainGetState: 212,
  domainSetSchedulerParametersFlags: 219,
  domainGetSchedulerParametersFlags: 223,
  nodeGetCpuStats: 227,
  nodeGetMemoryStats: 228,
  domainUndefineFlags: 231,
  domainDestroyFlags: 234,
  domainShutdownFlags: 258,
  domainSetMetadata: 264,
  domainGetMetadata: 265,
  connectListAllDomains: 273,
  domainGetJobStats: 298,
  domainMigratePerform3Params: 305,
  eventCallbackRegisterAny: 316,
  networkGetDhcpLeases: 341,
  connectGetAllDomainStats: 344,
  domainDefineXmlFlags: 350,
  domainInterfaceAddresses: 353,
  domainManagedSaveGetXmlDesc: 388,
} as const;

/** Messages the server sends by itself, once the event was asked for. */
export const EVENT_MESSAGE = { lifecycle: 318, metadataChange: 379 } as const;

/** VIR_DOMAIN_EVENT_ID_… */
export const EVENT_ID = { lifecycle: 0, metadataChange: 23 } as const;

/** VIR_DRV_FEATURE_PROGRAM_KEEPALIVE: asking for it makes the server answer pings and send its own. */
export const FEATURE_KEEPALIVE = 10;
