// Events that the server sends once they were asked for.
import type { Connection } from './connection.ts';
import { EVENT_ID, EVENT_MESSAGE, PROCEDURE } from './procedures.ts';
import { readDomain } from './values.ts';
import type { XdrDecoder } from './xdr-decoder.ts';
import { XdrEncoder } from './xdr-encoder.ts';

export type LibvirtEvent =
  | { readonly kind: 'Lifecycle'; readonly uuid: string; readonly event: number; readonly detail: number }
  | { readonly kind: 'MetadataChanged'; readonly uuid: string };

/** Asks for the events of all domains and passes them on, as long as the connection lives. */
export async function subscribe(
  connection: Connection,
  listener: (event: LibvirtEvent) => void,
  timeoutMs: number,
): Promise<void> {
  connection.onEvent((message, body) => {
    const event = readEvent(message, body);
    if (event !== undefined) {
      listener(event);
    }
  });
  for (const id of Object.values(EVENT_ID)) {
    const ofAllDomains = 0;
    const body = new XdrEncoder().int(id).int(ofAllDomains).finish();
    await connection.call(PROCEDURE.eventCallbackRegisterAny, body, timeoutMs);
  }
}

/** Undefined where the message is none that was asked for. */
export function readEvent(message: number, body: XdrDecoder): LibvirtEvent | undefined {
  if (message !== EVENT_MESSAGE.lifecycle && message !== EVENT_MESSAGE.metadataChange) {
    return undefined;
  }
  body.int(); // the number of our registration
  const { uuid } = readDomain(body);
  return message === EVENT_MESSAGE.lifecycle
    ? { kind: 'Lifecycle', uuid, event: body.int(), detail: body.int() }
    : { kind: 'MetadataChanged', uuid };
}
