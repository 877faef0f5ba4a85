import { VirtualClock } from '#runtime/clock-virtual.ts';
import { describeStore } from '../conformance/suite.ts';
import { configMaps, widgetFault, widgets } from '../conformance/widget.ts';
import { MemoryApiServer } from './server.ts';

let clock: VirtualClock;
let server: MemoryApiServer;

describeStore({
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
});
