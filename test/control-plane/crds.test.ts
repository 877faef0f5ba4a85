import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { invalidManifests, type Manifest, validManifests } from '#crds/corpus/corpus.ts';
import { type Violation, violations } from '#crds/corpus/violations.ts';
import type { KindDefinition } from '#crds/schema/kind.ts';
import { rootSchema } from '#crds/schema/to-crd.ts';
import { domainReportKind } from '#crds/v1alpha1/domain-report.ts';
import { hypervisorKind } from '#crds/v1alpha1/hypervisor.ts';
import { kinds } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import { virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import type { PlacementStatus, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { type ApiRequest, ApiRequestError, apiRequest } from '#hack/control-plane/api-request.ts';
import { describeOwnControlPlane, type OwnTestCluster } from './harness.ts';

const MANIFESTS = join(import.meta.dirname, '../../crds/manifests');
const ASK_ONLY = 'dryRun=All&fieldValidation=Strict';
/** The object of each kind that statuses are written to. */
const STANDING = 'standing';
const stored = new Map<KindDefinition, Stored>();

type Stored = Manifest & { metadata: { resourceVersion: string }; spec: object; status?: VirtualMachineStatus };

describeOwnControlPlane('the CustomResourceDefinitions', { audit: false }, (cluster) => {
  before(async () => {
    await kubectl(cluster, 'apply', '--server-side', '-f', MANIFESTS);
    await kubectl(cluster, 'wait', '--for=condition=Established', 'crd', '--all');
    for (const kind of kinds) stored.set(kind, await create(cluster, kind, objectOf(kind, STANDING)));
  });

  for (const kind of kinds) describe(kind.kind, () => defineCorpus(cluster, kind));
  describe('the status of a VirtualMachine', () => {
    defineTransitions(cluster);
    defineAbandoned(cluster);
  });
  describe('what kubectl shows', () => defineKubectl(cluster));

  it('keep a hypervisor on its node', async () => {
    const path = `${collection(hypervisorKind)}/${STANDING}?${ASK_ONLY}`;
    const moved = { method: 'PATCH', path, contentType: 'application/merge-patch+json' } as const;
    expect(await refusal(cluster, { ...moved, body: { spec: { unschedulable: true } } })).to.equal('');
    expect(await refusal(cluster, { ...moved, body: { spec: { nodeName: 'node-b' } } })).to.include(
      'spec.nodeName cannot be changed',
    );
  });
});

function defineCorpus(cluster: OwnTestCluster, kind: KindDefinition): void {
  for (const { file, object } of validManifests(kind)) {
    it(`is accepted as in ${file}`, async () => {
      expect(await verdict(cluster, kind, object)).to.equal('');
    });
  }

  for (const { file, object, field, says } of invalidManifests(kind)) {
    it(`is refused as in ${file}, with the field and the reason`, async () => {
      expect(await verdict(cluster, kind, object))
        .to.include(field)
        .and.to.include(says);
    });
  }

  it('is refused wherever a bound is broken, with the field and the bound', async () => {
    const broken = onePerBound(validManifests(kind).flatMap(({ object }) => violations(rootSchema(kind), object)));
    for (const { bound, field, says, object } of broken) {
      const sent = object as Manifest;
      const message = await (bound.startsWith('status') ? asStatus : asNew)(cluster, kind, sent);
      expect(message, bound).to.include(field).and.to.include(says);
    }
  }).timeout(120_000);

  it('says from the first moment that nobody has looked at it yet', async () => {
    const { status } = await create(cluster, kind, objectOf(kind, 'new'), 'dryRun=All');
    expect(status).to.deep.equal(kind.statusDefault);
  });
}

function defineTransitions(cluster: OwnTestCluster): void {
  const placement: PlacementStatus = {
    hypervisor: 'node-a',
    hypervisorUID: '0d9f7c1e-52a4-4c0b-9a86-3c1f9b6d2e10',
    epoch: 2,
    decidedBy: 'default',
    reason: 'least loaded of 3',
    time: '2026-03-01T12:00:00Z',
    signature: 'c2ln',
  };
  const other = { hypervisor: 'node-b', hypervisorUID: '11111111-52a4-4c0b-9a86-3c1f9b6d2e10' };
  const changes: [string, PlacementStatus | undefined, string][] = [
    ['may be given anew with the same epoch', { ...placement, reason: 'still the least loaded' }, ''],
    ['may be given with a higher epoch', { ...placement, epoch: 3 }, ''],
    ['may go to another hypervisor with a higher epoch', { ...placement, ...other, epoch: 3 }, ''],
    ['never takes a lower epoch', { ...placement, epoch: 1 }, 'epoch must never fall'],
    [
      'never goes to another hypervisor with the same epoch',
      { ...placement, ...other },
      'another hypervisor needs a higher epoch',
    ],
    [
      'takes a re-created hypervisor for another one',
      { ...placement, hypervisorUID: other.hypervisorUID },
      'another hypervisor needs a higher epoch',
    ],
    ['is given up once and for all', { ...placement, abandoned: true }, ''],
    ['is never forgotten', undefined, 'placement cannot be removed: its epoch must never be forgotten'],
  ];

  for (const [title, after, expected] of changes) {
    it(`holds a placement that ${title}`, async () => {
      const vm = named(minimal(virtualMachineKind), 'placed', cluster.namespace);
      const created = await create(cluster, virtualMachineKind, vm);
      const placed = await apiRequest<Stored>(cluster.access, statusUpdate(created, { placement }));
      const answer = await refusal(cluster, statusUpdate(placed, after === undefined ? {} : { placement: after }));
      if (expected === '') expect(answer).to.equal('');
      else expect(answer).to.include(expected);
    });
  }
}

function defineAbandoned(cluster: OwnTestCluster): void {
  it('holds to it that a placement was given up, for as long as its epoch lasts', async () => {
    const vm = named(minimal(virtualMachineKind), 'given-up', cluster.namespace);
    const created = await create(cluster, virtualMachineKind, vm);
    const placement = { ...placementOn('node-a'), abandoned: true };
    const placed = await apiRequest<Stored>(cluster.access, statusUpdate(created, { placement }));
    const { abandoned: _given, ...taken } = placement;
    expect(await refusal(cluster, statusUpdate(placed, { placement: taken }))).to.include(
      'what was abandoned stays so under its epoch',
    );
    expect(await refusal(cluster, statusUpdate(placed, { placement: { ...taken, epoch: 2 } }))).to.equal('');
  });
}

function defineKubectl(cluster: OwnTestCluster): void {
  it('is a line for each VirtualMachine that tells how it is', async () => {
    const [full] = validManifests(virtualMachineKind).filter(({ file }) => file.endsWith('/full.yaml'));
    const vm = named(full?.object ?? minimal(virtualMachineKind), 'web', cluster.namespace);
    const created = await create(cluster, virtualMachineKind, vm);
    await apiRequest(cluster.access, statusUpdate(created, vm.status ?? {}));
    const lines = (await kubectl(cluster, 'get', 'uvm', '-n', cluster.namespace)).trim().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 6))).to.deep.equal([
      ['NAME', 'PHASE', 'DESIRED', 'HYPERVISOR', 'IP', 'READY'],
      ['web', 'Running', 'Running', 'node-a', '192.168.122.10', 'True'],
    ]);
    const wide = await kubectl(cluster, 'get', 'uvm', '-n', cluster.namespace, '-o', 'wide', '--no-headers');
    const columns = wide.trim().split(/ {2,}/).slice(7);
    expect(columns.splice(5, 1)[0], 'how long ago it ended').to.match(/^[0-9]+d$/);
    expect(columns).to.deep.equal(['4', '4Gi', '5', 'Crashed', 'Guest', 'The guest runs on node-a.']);
  });

  it('is a line for each Hypervisor', async () => {
    const lines = (await kubectl(cluster, 'get', 'uhv', STANDING)).split('\n');
    expect(lines[0]?.trim().split(/ +/).join(' ')).to.equal(
      'NAME READY SCHEDULABLE VMS UNMANAGED CPUS FREE-CPUS MEMORY FREE-MEMORY AGE',
    );
    expect(lines[1]).to.match(/^standing +Unknown /);
  });

  it('is every kind of ours under one category', async () => {
    const listed = await kubectl(cluster, 'get', 'usher', '-n', 'default', '-o', 'name');
    expect(listed.trim().split('\n').toSorted()).to.deep.equal(
      kinds.map((kind) => `${kind.singular}.usher.dev/${objectOf(kind, STANDING).metadata.name}`).toSorted(),
    );
  });

  it('can be selected by what the operator has decided', async () => {
    for (const name of ['here', 'there']) {
      const vm = await create(cluster, virtualMachineKind, named(minimal(virtualMachineKind), name, cluster.namespace));
      await apiRequest(cluster.access, statusUpdate(vm, { phase: 'Running', placement: placementOn(name) }));
    }
    const selected = (selector: string) =>
      kubectl(cluster, 'get', 'uvm', '-n', cluster.namespace, '--field-selector', selector, '-o', 'name');
    expect(await selected('status.placement.hypervisor=here')).to.equal('virtualmachine.usher.dev/here\n');
    expect(await selected('status.phase=Running,status.placement.hypervisor!=here')).to.equal(
      'virtualmachine.usher.dev/there\n',
    );
    expect(await selected('spec.powerState=Stopped')).to.equal('');
  });

  for (const kind of kinds) {
    it(`explains every field of a ${kind.kind}'s spec`, async () => {
      const { properties: { spec } = {} } = rootSchema(kind);
      const explained = await explain(cluster, kind, 'spec');
      expect(explained).to.include(spec?.description);
      for (const [name, field] of Object.entries(spec?.properties ?? {})) {
        expect(explained, name).to.include(field.description);
      }
    });
  }
}

/** What the API server has against `object`, created and then reported on; '' where it has nothing. */
async function verdict(cluster: OwnTestCluster, kind: KindDefinition, object: Manifest): Promise<string> {
  const created = await asNew(cluster, kind, object);
  return created !== '' || object.status === undefined ? created : asStatus(cluster, kind, object);
}

/** The status of a new object is ignored. */
function asNew(cluster: OwnTestCluster, kind: KindDefinition, object: Manifest): Promise<string> {
  return refusal(cluster, { method: 'POST', path: `${collection(kind)}?${ASK_ONLY}`, body: object });
}

/** Only the status of `object` is written, to an object that is there. */
function asStatus(cluster: OwnTestCluster, kind: KindDefinition, { status }: Manifest): Promise<string> {
  return refusal(cluster, statusUpdate(standing(kind), status, `?${ASK_ONLY}`));
}

async function refusal(cluster: OwnTestCluster, asked: ApiRequest): Promise<string> {
  try {
    await apiRequest(cluster.access, asked);
    return '';
  } catch (error) {
    if (error instanceof ApiRequestError) return error.message;
    throw error;
  }
}

function create(cluster: OwnTestCluster, kind: KindDefinition, object: Manifest, query = ''): Promise<Stored> {
  const path = `${collection(kind, object.metadata.namespace)}?${query}`;
  return apiRequest<Stored>(cluster.access, { method: 'POST', path, body: object });
}

function statusUpdate(stored: Stored, status: unknown, query = ''): ApiRequest {
  const kind = kinds.find((candidate) => candidate.kind === stored.kind) ?? virtualMachineKind;
  const path = `${collection(kind, stored.metadata.namespace)}/${stored.metadata.name}/status${query}`;
  return { method: 'PUT', path, body: { ...stored, status } };
}

function standing(kind: KindDefinition): Stored {
  const object = stored.get(kind);
  if (object === undefined) throw new Error(`no ${kind.kind} was created before the tests`);
  return object;
}

/** The least there may be of this kind, under a name that no other test gives. */
function objectOf(kind: KindDefinition, name: string): Manifest {
  const object = minimal(kind);
  if (kind !== domainReportKind) return named(object, name);
  // What a report is about gives it its name.
  const spec = { nodeName: name, uuid: '0d9f7c1e-52a4-4c0b-9a86-3c1f9b6d2e10' };
  return { ...object, metadata: { name: `${spec.nodeName}.${spec.uuid}` }, spec };
}

function collection(kind: KindDefinition, namespace = 'default'): string {
  return kind.scope === 'Namespaced'
    ? `/apis/${API_VERSION}/namespaces/${namespace}/${kind.plural}`
    : `/apis/${API_VERSION}/${kind.plural}`;
}

function minimal(kind: KindDefinition): Manifest {
  const found = validManifests(kind).find(({ file }) => file.endsWith('/minimal.yaml'));
  if (found === undefined) throw new Error(`crds/corpus/${kind.singular}/valid/minimal.yaml is missing`);
  return found.object;
}

function named(object: Manifest, name: string, namespace = object.metadata.namespace): Manifest {
  return { ...object, metadata: namespace === undefined ? { name } : { name, namespace } };
}

function placementOn(hypervisor: string): PlacementStatus {
  const hypervisorUID = '0d9f7c1e-52a4-4c0b-9a86-3c1f9b6d2e10';
  const time = '2026-03-01T12:00:00Z';
  return { hypervisor, hypervisorUID, epoch: 1, decidedBy: 'default', reason: '', time, signature: '' };
}

function onePerBound(broken: Violation[]): Violation[] {
  return [...new Map(broken.map((violation) => [violation.bound, violation])).values()];
}

/** On one line. The server publishes its documentation a moment after a kind is established. */
async function explain(cluster: OwnTestCluster, kind: KindDefinition, field: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const text = await kubectl(cluster, 'explain', `${kind.shortNames[0] ?? kind.plural}.${field}`);
      return text.replaceAll(/\s+/g, ' ');
    } catch (error) {
      if (attempt === 50) throw error;
      await delay(200);
    }
  }
}

async function kubectl({ controlPlane, kubeconfig }: OwnTestCluster, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(controlPlane.kubectl, ['--kubeconfig', kubeconfig, ...args]);
  return stdout;
}
