// The control plane is lost, or goes back in time. What runs on the hypervisors is the truth, and nothing of it ends.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { domainReportResource, hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { CONFIRM_HOLD_ANNOTATION, REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { CONFIG_MAPS } from '#operator/site/record.ts';
import { domainReport } from '#test/builders/domain-report.ts';
import { OPERATOR } from './kinds.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const THREE = { hypervisors: { hv1: {}, hv2: {}, hv3: {} } };
const TWO = { hypervisors: { hv1: {}, hv2: {} } };
const on = (hypervisor: string) => ({ placement: { preferredHypervisors: [hypervisor] } });
const SHARED = [{ name: 'root', pool: 'default', volume: 'web.qcow2', format: 'qcow2' }] as const;

async function settle(site: Site, seconds = 30): Promise<void> {
  await site.clock.advance(seconds * 1000);
}

/** How often each guest was started, stopped and so on, since the last call. */
function doings(site: Site): () => string[] {
  const before = site.witness.happenings.length;
  return () => site.witness.happenings.slice(before).map(({ host, what }) => `${host} ${what}`);
}

async function told(site: Site, name: string): Promise<string> {
  const { status } = await site.machine(name);
  const { placement } = status ?? {};
  const ready = findCondition(status?.conditions, 'Ready');
  return `${status?.phase} ${ready?.reason} ${placement?.hypervisor ?? '-'} ${placement?.epoch ?? 0}`;
}

async function verdicts(site: Site): Promise<string[]> {
  const { items } = await site.user.list(domainReportResource);
  return items.map(({ spec, status }) => `${spec.nodeName} ${status?.verdict?.outcome} ${status?.verdict?.reason}`);
}

async function hold(site: Site): Promise<string> {
  const { data = {} } = (await site.siteRecord()) as { data?: Record<string, string> };
  return data.hold ?? '';
}

async function confirm(site: Site): Promise<void> {
  const [, id = ''] = /^Hold (\S+):/.exec(await hold(site)) ?? [];
  const { name, namespace = '' } = (await site.siteRecord()).metadata;
  const annotations = { [CONFIRM_HOLD_ANNOTATION]: id };
  await site.user.mergePatch(CONFIG_MAPS, { name, namespace }, { metadata: { annotations } });
}

/** As a node does that has read what another reports. */
async function copyReport(site: Site, name: string, nodeName: string): Promise<void> {
  const { spec, status = {} } = await site.user.get(domainReportResource, { name });
  const { metadata, ...made } = domainReport(nodeName, spec.uuid);
  const [node, key] = [site.api.asUser(nodeName), { name: metadata.name }];
  await node.create(domainReportResource, { ...made, metadata: key });
  const { domain, marks } = status;
  await node.mergePatch(domainReportResource, key, { status: { domain, marks } }, { subresource: 'status' });
}

describe('the loss of the control plane', () => {
  it('leaves every guest running, and its VM is written anew, though GitOps writes some of the names first', async () => {
    await tell('control-plane-lost', THREE, async (site) => {
      await site.create('web', on('hv1'));
      await site.create('db', { ...on('hv2'), restartPolicy: 'Always' });
      await site.create('old', on('hv3'));
      await settle(site, 20);
      await site.edit('old', { powerState: 'Stopped' });
      await settle(site, 20);
      const [record, uuid, since] = [await site.siteRecord(), await site.uuidOf('db'), doings(site)];
      await says(
        site,
        'etcd is lost; the key and the list of hypervisors are put back, and GitOps declares web and new',
        async () => {
          await site.loseControlPlane([record]);
          await site.create('web', { ...on('hv2'), resources: { cpus: 2, memory: '1Gi' } });
          await site.create('new', on('hv1'));
        },
        120,
      );
      expect(since()).to.deep.equal(['hv1 started']);
      const db = await site.machine('db');
      expect(await site.uuidOf('db')).to.equal(uuid);
      expect(db.metadata.annotations?.[REQUESTER_ANNOTATION]).to.equal('adele');
      expect(db.spec).to.include({ restartPolicy: 'Always' });
      expect(db.status?.managed).to.deep.equal({ origin: 'Recovered' });
      expect(await verdicts(site)).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('holds all placement until the last hypervisor on the list has reported', async () => {
    await tell('control-plane-lost-one-away', TWO, async (site) => {
      await site.create('web', { ...on('hv2'), disks: [...SHARED] });
      await settle(site);
      const [record, since] = [await site.siteRecord(), doings(site)];
      await says(
        site,
        'etcd is lost while hv2 cannot reach it; GitOps declares web anew, for hv1',
        async () => {
          site.cutOff('hv2', true);
          await site.loseControlPlane([record]);
          await site.create('web', { ...on('hv1'), disks: [...SHARED] });
        },
        60,
      );
      expect(await told(site, 'web')).to.equal('Scheduling SiteOnHold - 0');
      const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
      expect(findCondition(status?.conditions, 'Schedulable')?.reason).to.equal('SiteOnHold');
      expect(await hold(site)).to.match(/Waiting for reports of hv2\. To go on all the same: kubectl annotate/);
      await says(site, 'hv2 reaches it again', () => site.cutOff('hv2', false), 60);
      expect(await told(site, 'web')).to.equal('Running Running hv2 1');
      expect(since()).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('is over for those that are there when a person says so, and one that returns later is heard all the same', async () => {
    await play(TWO, async (site) => {
      await site.create('web', on('hv1'));
      await site.create('db', on('hv2'));
      await settle(site);
      const [record, since] = [await site.siteRecord(), doings(site)];
      site.kill('hv2');
      await site.loseControlPlane([record]);
      await settle(site);
      expect((await site.machines()).map(({ metadata }) => metadata.name)).to.deep.equal([]);
      await confirm(site);
      await settle(site);
      expect(await told(site, 'web')).to.equal('Running Running hv1 1');
      expect(await hold(site)).to.equal('');
      site.start('hv2');
      await settle(site);
      expect(await told(site, 'db')).to.equal('Running Running hv2 1');
      expect(since()).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('waits for a person where the list of hypervisors was not put back: nobody knows whom to wait for', async () => {
    await play(TWO, async (site) => {
      await site.create('web', on('hv1'));
      await settle(site);
      await site.loseControlPlane();
      await settle(site, 60);
      expect(await hold(site)).to.match(/Nobody knows which hypervisors there were: restore the ConfigMap/);
      expect(await site.machines()).to.deep.equal([]);
      await confirm(site);
      await settle(site);
      expect(await told(site, 'web')).to.equal('Running Running hv1 1');
    });
  }).timeout(PATIENCE_MS);

  it('with the key gives nothing back, and places nothing, before a person says so', async () => {
    await play(TWO, async (site) => {
      await site.create('web', on('hv1'));
      await settle(site);
      const [record, since] = [await site.siteRecord(), doings(site)];
      site.kill(OPERATOR);
      site.loseKey();
      await site.loseControlPlane([record]);
      await site.create('new', on('hv2'));
      site.start(OPERATOR);
      await settle(site, 60);
      expect(await verdicts(site)).to.deep.equal(['hv1 Refused SignatureInvalid']);
      expect(await hold(site)).to.match(/None of the 1 guests that bear marks .* restore the Secret/);
      expect(await told(site, 'new')).to.equal('Scheduling SiteOnHold - 0');
      await confirm(site);
      await settle(site);
      expect(await told(site, 'new')).to.equal('Running Running hv2 1');
      expect((await site.machines()).map(({ metadata }) => metadata.name)).to.deep.equal(['new']);
      expect(since()).to.deep.equal(['hv2 started']);
    });
  }).timeout(PATIENCE_MS);

  it('is not held up by a node that has copied what the guest of another bears', async () => {
    await play(TWO, async (site) => {
      await site.create('web', on('hv1'));
      await site.create('old', on('hv2'));
      await settle(site);
      await site.edit('old', { powerState: 'Stopped' });
      await settle(site);
      const [record, uuid, since] = [await site.siteRecord(), await site.uuidOf('web'), doings(site)];
      site.cutOff('hv2', true);
      await site.loseControlPlane([record]);
      await settle(site);
      await copyReport(site, `hv1.${uuid}`, 'hv9');
      site.cutOff('hv2', false);
      await settle(site, 60);
      expect([await hold(site), await verdicts(site)]).to.deep.equal(['', ['hv9 Refused OfAnotherNode']]);
      expect(await told(site, 'web')).to.equal('Running Running hv1 1');
      expect(since()).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('ends in the same whoever dies meanwhile', async () => {
    for (const name of [OPERATOR, 'hv1', 'hv2']) {
      await play(TWO, async (site) => {
        await site.create('web', on('hv1'));
        await site.create('db', on('hv2'));
        await settle(site);
        const [record, since] = [await site.siteRecord(), doings(site)];
        await site.loseControlPlane([record]);
        await site.clock.advance(500);
        site.kill(name);
        await settle(site);
        site.start(name);
        await settle(site, 60);
        expect([await told(site, 'web'), await told(site, 'db')]).to.deep.equal([
          'Running Running hv1 1',
          'Running Running hv2 1',
        ]);
        expect(since()).to.deep.equal([]);
      });
    }
  }).timeout(PATIENCE_MS);
});

describe('a control plane from a backup that is older than reality', () => {
  it('believes the guests: nothing is started a second time, and what it never knew is written anew', async () => {
    await tell('backup-restored', THREE, async (site) => {
      await site.create('web', on('hv1'));
      await site.create('gone', on('hv3'));
      await settle(site);
      const backup = site.api.backup();
      await says(
        site,
        'after the backup web is stopped, and started elsewhere; gone is deleted; new is created',
        async () => {
          await site.edit('web', { powerState: 'Stopped' });
          await site.delete('gone');
          await site.create('new', on('hv3'));
          await settle(site);
          await site.edit('web', { powerState: 'Running', ...on('hv2') });
        },
        30,
      );
      expect(await told(site, 'web')).to.equal('Running Running hv2 2');
      const since = doings(site);
      await says(site, 'the backup is restored', () => site.api.restore(backup), 120);
      expect([await told(site, 'web'), await told(site, 'new')]).to.deep.equal([
        'Running Running hv2 2',
        'Running Running hv3 1',
      ]);
      expect(await told(site, 'gone')).to.equal('Missing Missing hv3 1');
      expect(since()).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);
});
