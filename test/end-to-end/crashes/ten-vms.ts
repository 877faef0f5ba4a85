// Ten VMs that are asked for one after the other, and how far their starts and deletes have come.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { ApiRequestError, apiRequest } from '#hack/control-plane/api-request.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { domainOf, hostOf } from '../../site/guests.ts';
import { guest } from '../../site/manifest.ts';

export const COUNT = 10;
const BETWEEN_MS = 100;
const VMS = '/apis/usher.dev/v1alpha1/namespaces/default/virtualmachines';

export type Progress = 'placed' | 'reported' | 'processes';

export class TenVms {
  readonly names: readonly string[];
  readonly #under: () => SiteUnderTest;

  constructor(prefix: string, under: () => SiteUnderTest) {
    this.names = Array.from({ length: COUNT }, (_, index) => `${prefix}-${index}`);
    this.#under = under;
  }

  /** Those that are there already are left alone. */
  async create(): Promise<void> {
    for (const name of this.names) {
      const body = guest(name, { powerOff: { mode: 'Force' } });
      await this.#ask({ method: 'POST', path: VMS, body }, 409);
      await delay(BETWEEN_MS);
    }
  }

  async remove(): Promise<void> {
    for (const name of this.names) {
      await this.#ask({ method: 'DELETE', path: `${VMS}/${name}` }, 404);
      await delay(BETWEEN_MS);
    }
  }

  started(progress: Progress): number {
    if (progress === 'processes') return this.#pidFiles();
    return this.#present().filter(({ status }) =>
      progress === 'placed' ? status?.placement !== undefined : status?.instance !== undefined,
    ).length;
  }

  deleted(progress: Progress): number {
    return COUNT - (progress === 'processes' ? this.#pidFiles() : this.#present().length);
  }

  #present(): VirtualMachine[] {
    return this.names.flatMap((name) => this.#under().user.machines.latest(name) ?? []);
  }

  /** Quicker than the process list: what is half done is over in a moment. */
  #pidFiles(): number {
    const { site } = this.#under();
    const files = site.machines.flatMap(({ name }) => readdirSync(join(hostOf(site, name).directory, 'run/qemu')));
    return this.names.filter((name) => files.includes(`${domainOf(name)}.pid`)).length;
  }

  async #ask(asked: Parameters<typeof apiRequest>[1], known: number): Promise<void> {
    await apiRequest(this.#under().site.controlPlane.access, asked).catch((error: unknown) => {
      if (!(error instanceof ApiRequestError && error.status === known)) throw error;
    });
  }
}
