// The bounds of libvirt's wire protocol (remote_protocol.x, virnetprotocol.x): nothing longer is sent or believed.

/** REMOTE_STRING_MAX: bytes of one string. */
export const MAX_STRING_BYTES = 4 * 1024 * 1024;

/** VIR_NET_MESSAGE_MAX and the length word before it: bytes of one packet. */
export const MAX_PACKET_BYTES = 32 * 1024 * 1024 + 4;

/** REMOTE_DOMAIN_LIST_MAX. */
export const MAX_DOMAINS = 16_384;

/** REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX: values of one domain. */
export const MAX_DOMAIN_STATS = 4096;

/** REMOTE_DOMAIN_JOB_STATS_MAX: values of one job. */
export const MAX_JOB_STATS = 64;

/** REMOTE_DOMAIN_SCHEDULER_PARAMETERS_MAX. */
export const MAX_SCHEDULER_PARAMETERS = 16;

/** REMOTE_NODE_CPU_STATS_MAX and REMOTE_NODE_MEMORY_STATS_MAX. */
export const MAX_NODE_STATS = 16;

/** REMOTE_DOMAIN_INTERFACE_MAX and REMOTE_DOMAIN_IP_ADDR_MAX. */
export const MAX_INTERFACES = 2048;

/** REMOTE_NETWORK_DHCP_LEASES_MAX: leases of one network. */
export const MAX_LEASES = 65_536;

/** REMOTE_AUTH_TYPE_LIST_MAX. */
export const MAX_AUTH_TYPES = 20;

/** max_client_requests is 5 by default; past it libvirtd stops reading, our keepalive pings included. */
export const MAX_CALLS_IN_FLIGHT = 4;
