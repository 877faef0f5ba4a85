// The model in memory as a subject of the suite, and as the measure of others.
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { MemoryApiServer } from '../memory/server.ts';
import type { StoreUnderTest } from './subject.ts';
import { configMaps, widgetFault, widgets } from './widget.ts';

/** A new server for every test. */
export function memoryUnderTest(): StoreUnderTest {
  let clock = new VirtualClock();
  let server = new MemoryApiServer({ clock, random: Math.random });
  return {
    name: 'in memory',
    open: async () => {
      clock = new VirtualClock();
      server = new MemoryApiServer({ clock, random: Math.random })
        .serve({ type: configMaps })
        .serve({ type: widgets, statusSubresource: true, schemaFault: widgetFault });
      return { store: server.asUser('conformance'), manager: 'conformance', namespace: 'here' };
    },
    pass: (milliseconds) => clock.advance(milliseconds),
    forget: async (token) => {
      server.compact();
      return token;
    },
  };
}
