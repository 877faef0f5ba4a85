// The rights of the operator and of the daemons, beside what they really ask for: enough for a whole life of theirs and
// of a VM, and nothing to spare.
import { expect } from 'chai';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import type { Site } from '#hack/site/site.ts';
import { until } from '#hack/until.ts';
import { type Account, type Asked, askedByUsher, refusedOf } from '../site/audit-log.ts';
import { describeSite } from '../site/describe-site.ts';
import { guest } from '../site/manifest.ts';
import type { User } from '../site/user.ts';

/** Granted and not seen in use here, and why it is granted all the same. */
const UNSEEN: Readonly<Record<Account, readonly string[]>> = {
  'usher-operator': [
    'get virtualmachines.usher.dev', // whoever may list them may read each
    'get hypervisors.usher.dev',
    'get virtualmachineoperations.usher.dev',
    'get domainreports.usher.dev',
    'create namespaces', // of VMs that were lost with the control plane
    'patch events', // counts a warning up that is told again, minutes later
  ],
  'usher-node-daemon': ['patch events'],
};

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const choice = { hypervisor: 'simulated', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;

describeSite('the rights of the operator and the daemons', choice, (under) => {
  const asked = async (account: Account): Promise<Asked[]> => {
    const all = await askedByUsher(under().site.controlPlane);
    return all.filter((request) => request.account === account);
  };

  before('lives of all kinds', async function () {
    this.timeout(240_000);
    await liveThrough(under().site, under().user);
  });

  for (const account of ['usher-operator', 'usher-node-daemon'] as const) {
    it(`are enough for ${account}: nothing that it asked for was refused`, async () => {
      const requests = await asked(account);
      expect(requests).to.have.length.above(20);
      expect(refusedOf(requests)).to.deep.equal([]);
    });

    it(`are no more than ${account} needs`, async () => {
      const used = new Set(
        (await asked(account)).map(({ verb, resource, apiGroup }) => right(verb, resource, apiGroup)),
      );
      const idle = (await rightsOf(under().user, account)).filter((granted) => !used.has(granted));
      const unexplained = idle.filter((granted) => !UNSEEN[account].includes(granted));
      expect(unexplained, 'granted in rights/rbac and never used').to.deep.equal([]);
    });
  }
});

/** An operation, until its time to live is over. */
async function operate({ controlPlane }: Site, user: User, name: string, spec: object): Promise<void> {
  const path = '/apis/usher.dev/v1alpha1/namespaces/default/virtualmachineoperations';
  const kind = { apiVersion: 'usher.dev/v1alpha1', kind: 'VirtualMachineOperation' };
  const body = { ...kind, metadata: { name }, spec: { ...spec, ttlSecondsAfterFinished: 1 } };
  await apiRequest(controlPlane.access, { method: 'POST', path, body });
  await user.kubectl('wait', '--for=delete', `uvmop/${name}`, '--timeout=60s');
}

/**
 * A VM that runs, is Lost, vanishes, is stopped and started and deleted; one that fits nowhere; one that operations create
 * and destroy; everybody restarted.
 */
async function liveThrough(site: Site, user: User): Promise<void> {
  await user.apply(
    guest('lives', { restartPolicy: 'Never' }),
    guest('too-large', { resources: { cpus: 500, memory: '128Mi' } }),
  );
  const { status } = await user.sees('lives', 'Running');
  await user.sees('too-large', 'Scheduling TooFewCpus');
  const home = status?.placement?.hypervisor ?? '';
  await site.programs.kill(`node-daemon-${home}`);
  await user.sees('lives', 'Lost');
  await site.startNodeDaemon(home); // a simulated machine ends with its daemon: its guests are gone
  await user.sees('lives', 'Missing');
  await user.change('lives', { powerState: 'Stopped' });
  await user.sees('lives', 'Stopped');
  await user.change('lives', { powerState: 'Running' });
  await user.sees('lives', 'Running');
  const { spec } = guest('made');
  await operate(site, user, 'make', { type: 'Start', targets: { set: 'made' }, template: { spec } });
  await user.sees('made', 'Running');
  await operate(site, user, 'unmake', { type: 'Destroy', targets: { set: 'made' } });
  await user.untilGone('made');
  await orphan(site, user, 'taken');
  await site.programs.stop('operator');
  await site.startOperator();
  await user.remove('lives', 'too-large');
  await user.untilGone('lives');
  await user.untilGone('too-large');
}

/** Its VM is taken away by force; then the guest is gone, too, and so is what was reported of it. */
async function orphan(site: Site, user: User, name: string): Promise<void> {
  await user.apply(guest(name));
  const { metadata, status } = await user.sees(name, 'Running');
  const home = status?.placement?.hypervisor ?? '';
  await user.kubectl('patch', 'uvm', name, '--type', 'merge', '-p', '{"metadata":{"finalizers":null}}');
  await user.remove(name);
  const report = `${home}.${metadata.uid}`;
  const verdict = async () =>
    user.kubectl('get', 'udr', '--ignore-not-found', report, '-o', 'jsonpath={.status.verdict.reason}');
  await until('the guest is reported and judged', 60, async () => (await verdict()) === 'NotDeclared');
  await site.programs.stop(`node-daemon-${home}`);
  await site.startNodeDaemon(home);
  await user.kubectl('wait', '--for=delete', `udr/${report}`, '--timeout=60s');
}

async function rightsOf(user: User, account: Account): Promise<string[]> {
  const roles = [
    ['clusterrole', account],
    ['role', account, '-n', 'usher-system'],
  ];
  const texts = await Promise.all(roles.map(async (role) => user.kubectl('get', ...role, '-o', 'jsonpath={.rules}')));
  const rules = texts.flatMap((text) => JSON.parse(text) as Rule[]);
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    verbs.flatMap((verb) => resources.flatMap((resource) => apiGroups.map((group) => right(verb, resource, group)))),
  );
}

/** "patch virtualmachines/status.usher.dev". */
function right(verb: string, resource: string, apiGroup: string): string {
  return apiGroup === '' ? `${verb} ${resource}` : `${verb} ${resource}.${apiGroup}`;
}
