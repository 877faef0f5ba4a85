// What a site knows of itself, in a ConfigMap: which control plane it was written for, and which hypervisors there are.
// With the signing key it is what a site backs up, and all that a new control plane needs to be told.
import { CONFIRM_HOLD_ANNOTATION, SITE_RECORD, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { KubeObject, ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export const CONFIG_MAPS: ResourceType<ConfigMap> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};

const KEY = { namespace: SYSTEM_NAMESPACE, name: SITE_RECORD };

export interface SiteRecord {
  /** The uid of the control plane that it was written for; empty where there was none yet. */
  readonly cluster: string;
  readonly hypervisors: readonly string[];
  /** What the hold waits for, in words; empty while there is none. */
  readonly hold: string;
  /** The hold that a person has ended. */
  readonly confirmed?: string;
}

const NOTHING: SiteRecord = { cluster: '', hypervisors: [], hold: '' };

/** For Events about the site. */
export const SITE: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...KEY } };

/** Rejects with a KubeError. */
export async function readRecord(store: KubeStore, signal: AbortSignal): Promise<SiteRecord> {
  try {
    return recordIn(await store.get(CONFIG_MAPS, KEY, signal));
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return NOTHING;
    throw error;
  }
}

function recordIn({ metadata, data = {} }: ConfigMap): SiteRecord {
  const confirmed = metadata.annotations?.[CONFIRM_HOLD_ANNOTATION];
  return {
    cluster: data.cluster?.trim() ?? '',
    hypervisors: (data.hypervisors ?? '').split(/\s+/).filter((name) => name !== ''),
    hold: data.hold ?? '',
    ...(confirmed === undefined ? {} : { confirmed }),
  };
}

/** Rejects with a KubeError. */
export async function writeRecord(
  store: KubeStore,
  { cluster, hypervisors, hold }: SiteRecord,
  signal: AbortSignal,
): Promise<void> {
  const data = { cluster, hypervisors: `${hypervisors.join('\n')}\n`, hold: hold === '' ? null : hold };
  try {
    await store.mergePatch(CONFIG_MAPS, KEY, { data }, { signal });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    const { hold: words, ...rest } = data;
    const complete = { ...rest, ...(words === null ? {} : { hold: words }) };
    await store.create(CONFIG_MAPS, { ...SITE, metadata: { ...KEY }, data: complete }, signal);
  }
}
