// Suites on a whole site: everything runs as it is shipped, each program a process with the rights of its own account.
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import { ControlPlaneUnavailable } from '#hack/control-plane/binaries.ts';
import { temporaryDirectory } from '#hack/control-plane/directory.ts';
import { guestImageObstacle } from '#hack/hypervisor-host/guest/image.ts';
import { hostObstacle } from '#hack/hypervisor-host/host-life.ts';
import { endedError } from '#hack/process-group.ts';
import { type Site, type SiteOptions, startSite } from '#hack/site/site.ts';
import { until } from '#hack/until.ts';
import { ran } from '../runner/capabilities.ts';
import { skip } from '../runner/skip.ts';
import { guest } from './manifest.ts';
import { User } from './user.ts';

export interface SiteUnderTest {
  readonly site: Site;
  readonly user: User;
}

export type SiteChoice = Pick<
  SiteOptions,
  'hypervisor' | 'machineNames' | 'heartbeatSeconds' | 'guardDeadlineSeconds' | 'operatorArguments'
>;

/**
 * Defines a suite whose tests share one site, in their order. It is there in tests and in their hooks, and ends with the
 * suite, or with the process however that ends. Skipped with the reason where it cannot be had. Where a test fails the
 * logs are kept in build/test.
 */
export function describeSite(title: string, choice: SiteChoice, define: (under: () => SiteUnderTest) => void): void {
  describe(title, () => {
    let under: SiteUnderTest | undefined;
    let failed = false;
    before(async function () {
      this.timeout(0); // may have to build the control plane and the guest first
      const obstacle = await obstacleTo(choice);
      if (obstacle !== undefined) skip(this, obstacle);
      under = await start(choice).catch((error: unknown) => skipUnlessBroken(this, error));
    });
    beforeEach(() => {
      ran('control-plane');
      if (choice.hypervisor === 'qemu') ran('qemu');
    });
    afterEach(function () {
      failed ||= this.currentTest?.state === 'failed';
    });
    after(async function () {
      this.timeout(120_000);
      if (under !== undefined) await stop(under, failed ? title : undefined);
    });
    define(() => under ?? notYet());
  });
}

async function obstacleTo({ hypervisor }: SiteChoice): Promise<string | undefined> {
  if (process.env['USHER_TEST_KUBECONFIG'])
    return 'needs a control plane of its own, and USHER_TEST_KUBECONFIG gives a shared one';
  return hypervisor === 'simulated' ? undefined : ((await hostObstacle()) ?? (await guestImageObstacle()));
}

function skipUnlessBroken(context: Context, error: unknown): never {
  if (error instanceof ControlPlaneUnavailable) skip(context, error.message);
  throw error;
}

async function start(choice: SiteChoice): Promise<SiteUnderTest> {
  const directory = await temporaryDirectory();
  const site = await startSite({
    ...choice,
    directory,
    machineDirectory: join(directory, 'm'),
    lifetime: 'parent',
    virtualization: 'qemu',
    announce: () => undefined,
  });
  const under = { site, user: new User(site) };
  try {
    await openForUsers(under);
    return under;
  } catch (error) {
    const ended = site.programs.ended();
    const cause = ended === undefined ? error : endedError(ended); // reads the log, which goes with the site
    await stop(under);
    throw cause;
  }
}

/** Returns when every machine takes VMs, and the API server has put the admission policies in force. */
async function openForUsers({ site, user }: SiteUnderTest): Promise<void> {
  user.hypervisors.follow();
  user.machines.follow();
  for (const { name } of site.machines) await user.seesHypervisor(name, 'Schedulable', 'True');
  for (const { name } of site.machines) await user.seesHypervisor(name, 'Ready', 'True');
  await untilInForce(site);
}

/** Returns when the API server serves VMs, and has put the admission policies in force. */
export async function untilInForce({ controlPlane }: Site): Promise<void> {
  const path = '/apis/usher.dev/v1alpha1/namespaces/default/virtualmachines?dryRun=All';
  await until('the admission policies are in force', 60, async () =>
    apiRequest(controlPlane.access, { method: 'POST', path, body: guest('probe') }).then(
      () => true,
      () => false,
    ),
  );
}

async function stop({ site, user }: SiteUnderTest, keepLogsAs?: string): Promise<void> {
  await user.machines.stop();
  await user.hypervisors.stop();
  const { directory } = site.options;
  if (keepLogsAs !== undefined) {
    const kept = join('build/test/logs', keepLogsAs.replaceAll(/\W+/g, '-'));
    await mkdir(kept, { recursive: true });
    await cp(join(directory, 'logs'), kept, { recursive: true });
  }
  await site.stop();
  await rm(directory, { recursive: true, force: true });
}

function notYet(): never {
  throw new Error('the site is there only in tests and in their hooks');
}
