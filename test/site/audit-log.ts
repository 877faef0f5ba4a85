// What the operator and the node daemons asked of the API server: every request, from its audit log.
import { readFile } from 'node:fs/promises';
import { NODE_DAEMON_SERVICE_ACCOUNT, OPERATOR_SERVICE_ACCOUNT, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';

/** audit.k8s.io/v1 Event, as far as it matters here. */
interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestURI: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Account = typeof OPERATOR_SERVICE_ACCOUNT | typeof NODE_DAEMON_SERVICE_ACCOUNT;

export interface Asked {
  readonly account: Account;
  readonly verb: string;
  readonly apiGroup: string;
  /** With its subresource: "virtualmachines/status". */
  readonly resource: string;
  readonly name: string | undefined;
  readonly code: number;
  /** RFC 3339: when it was answered. */
  readonly time: string;
  readonly text: string;
}

const ACCOUNTS: readonly Account[] = [OPERATOR_SERVICE_ACCOUNT, NODE_DAEMON_SERVICE_ACCOUNT];
const MUTATING: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const REVIEWS = /^(subject|selfsubject|localsubject|token)/;

/** In the order in which they were answered. A watch counts once, when it begins. */
export async function askedByUsher({ auditLog }: { readonly auditLog: string }): Promise<Asked[]> {
  const lines = (await readFile(auditLog, 'utf8')).split('\n').slice(0, -1);
  return lines.flatMap((line) => asked(JSON.parse(line) as AuditEvent) ?? []);
}

function asked(event: AuditEvent): Asked | undefined {
  const { verb, objectRef = {}, requestURI, responseStatus, stageTimestamp, annotations } = event;
  const account = ACCOUNTS.find((name) => event.user.username === `system:serviceaccount:${SYSTEM_NAMESPACE}:${name}`);
  if (account === undefined || (verb === 'watch' && event.stage === 'ResponseComplete')) return undefined;
  const { resource = '', subresource } = objectRef;
  const code = responseStatus?.code ?? 0;
  const why = annotations?.['authorization.k8s.io/reason'] ?? '';
  return {
    account,
    verb,
    apiGroup: objectRef.apiGroup ?? '',
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    name: objectRef.name,
    code,
    time: stageTimestamp,
    text: `${stageTimestamp} ${account}: ${verb} ${requestURI} → ${code} ${why}`.trim(),
  };
}

/** What changes objects, refused attempts too. Leases and access reviews apart: they are no news of any object. */
export function isWrite({ verb, resource }: Asked): boolean {
  return MUTATING.has(verb) && resource !== 'leases' && !REVIEWS.test(resource);
}

/** Those that were refused for want of a right, as text. */
export function refusedOf(requests: readonly Asked[]): string[] {
  return requests.filter(({ code }) => code === 401 || code === 403).map(({ text }) => text);
}
