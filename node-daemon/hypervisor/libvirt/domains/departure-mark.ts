// A mark on each guest that is about to move from here. libvirt calls a guest that stands still at the end of its way and
// one that was restored from disk without being let go on by the same name, and forgets the job when it is restarted.
import { element, render } from '../domain-xml/element.ts';
import { AFFECT, type Ask, getMetadata, setMetadata } from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';

const NAMESPACE = 'https://usher.dev/departure/v1';
const PREFIX = 'usher-departure';

/** `address` is where guests come in here: on the other side, where the mark comes along, it is somebody else's. */
export async function markDeparture(ask: Ask, uuid: string, address: string): Promise<void> {
  await write(ask, uuid, render(element('departure', { from: address })));
}

/** Quiet where there is none. */
export async function unmarkDeparture(ask: Ask, uuid: string): Promise<void> {
  if ((await markOf(ask, uuid)) !== undefined) await write(ask, uuid, undefined);
}

export async function bearsMark(ask: Ask, uuid: string, address: string): Promise<boolean> {
  return (await markOf(ask, uuid))?.includes(`"${address}"`) ?? false;
}

async function markOf(ask: Ask, uuid: string): Promise<string | undefined> {
  try {
    return await getMetadata(ask, uuid, NAMESPACE);
  } catch (error) {
    if (isFault(error, FAULT.noDomainMetadata, FAULT.noSupport)) return undefined;
    throw error;
  }
}

async function write(ask: Ask, uuid: string, xml: string | undefined): Promise<void> {
  const mark = { xml, prefix: PREFIX, namespaceUri: NAMESPACE };
  try {
    await setMetadata(ask, uuid, mark, AFFECT.live | AFFECT.config);
  } catch (error) {
    if (!isFault(error, FAULT.operationInvalid)) throw error;
    await setMetadata(ask, uuid, mark, AFFECT.current); // it is off, or it has no definition that outlives it
  }
}
