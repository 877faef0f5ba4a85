// What domains there are. Nothing is kept between two looks: whatever someone else changed is seen by the next one.
import type { Domain, Observation } from '#node-daemon/hypervisor/driver.ts';
import { isReleased, parseMetadata } from '../domain-xml/parse.ts';
import { PROBE_NAME_PREFIX } from '../node/probe-guest.ts';
import { type Ask, getInfo, getState, listDomains, listWithImage } from '../rpc/domain-calls.ts';
import type { DomainHandle } from '../rpc/values.ts';
import { ourElement } from './definition.ts';
import { type Image, imageOf, readImage } from './image.ts';
import { lookup, unlessGone } from './lookup.ts';
import { movingStateOf } from './migration.ts';
import { powerStateOf } from './power-state.ts';

const KIBIBYTE = 1024;

/** What libvirt does not say of its domains. */
export interface Knowledge {
  /** Whether a domain that looks off may be about to run. */
  readonly doubt: (uuid: string) => boolean;
  /** Where guests come in from elsewhere, if they do. */
  readonly own: string | undefined;
}

/** Every domain of this hypervisor but our own probe; rejects where even one of them cannot be described. */
export async function listAll(ask: Ask, knowledge: Knowledge): Promise<readonly Domain[]> {
  const [all, withImage] = await Promise.all([listDomains(ask), listWithImage(ask)]);
  const handles = all.filter(({ name }) => !name.startsWith(PROBE_NAME_PREFIX));
  const kept = new Set(withImage.map(({ uuid }) => uuid));
  const image = async (uuid: string) => (kept.has(uuid) ? readImage(ask, uuid) : undefined);
  const described = await Promise.all(handles.map((handle) => describe(ask, handle, { ...knowledge, image })));
  return described.filter((domain) => domain !== undefined);
}

export async function observe(ask: Ask, uuid: string, knowledge: Knowledge): Promise<Observation> {
  const handle = await lookup(ask, uuid);
  const image = async () => imageOf(ask, uuid);
  const domain = handle === undefined ? undefined : await describe(ask, handle, { ...knowledge, image });
  return domain === undefined ? { kind: 'Absent' } : { kind: 'Present', domain };
}

interface Looking extends Knowledge {
  /** Asked of domains that are off only. */
  readonly image: (uuid: string) => Promise<Image | undefined>;
}

/** Undefined where the domain went away meanwhile. */
function describe(ask: Ask, handle: DomainHandle, { doubt, own, image }: Looking): Promise<Domain | undefined> {
  const { uuid, name } = handle;
  const asking = Promise.all([powerOf(ask, uuid, own), getInfo(ask, uuid), ourElement(ask, uuid)]);
  return unlessGone(
    asking.then(async ([seen, info, ours = '']) => {
      const power = certain(seen, handle.active || doubt(uuid));
      const kept = power.powerState === 'ShutOff' ? await image(uuid) : undefined;
      const borne = kept?.shown === true ? kept.metadata : parseMetadata(ours);
      return {
        uuid,
        name,
        ...power,
        ...(kept === undefined ? {} : { hasImage: true as const }),
        ...(borne === undefined ? {} : { metadata: borne }),
        ...(borne === undefined && isReleased(ours) ? { released: true as const } : {}),
        cpus: info.cpus,
        memoryBytes: Number(info.maxMemoryKiB) * KIBIBYTE,
      };
    }),
  );
}

type Power = ReturnType<typeof powerStateOf>;

async function powerOf(ask: Ask, uuid: string, own: string | undefined): Promise<Power> {
  const state = await getState(ask, uuid);
  const power = powerStateOf(state);
  return power.powerState === 'Outgoing' ? { powerState: await movingStateOf(ask, uuid, { state, own }) } : power;
}

/** A domain that is off and has a number, or is just being started, is not off for sure. */
function certain(power: Power, mayRun: boolean): Power {
  return power.powerState === 'ShutOff' && mayRun ? { powerState: 'Unknown' } : power;
}
