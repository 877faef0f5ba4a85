import { expect } from 'chai';
import { PATIENCE_MS, play, says, tell } from './story.ts';

/** Two machines, the second of which calls itself like the first; its daemon is not started. */
const TWINS = { hypervisors: { hv1: {}, twin: {} }, impostors: { twin: 'hv1' } };
const MINUTE = 60_000;

describe('the story of two machines with one name', function () {
  this.timeout(PATIENCE_MS);

  it('of which the second does nothing while the first is heard, and starts nothing that may run on the first', async () => {
    await tell('one-name', TWINS, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 15);
      const uuid = await site.uuidOf('web');
      await says(site, 'a machine is set up as hv1, too', () => site.start('twin'), 120);
      expect(site.unready.get('twin')).to.match(/held by hv1\/.*two machines call themselves hv1/);
      await says(site, 'web crashes', () => site.crash(uuid), 30);
      expect(site.host('twin').log.calls, 'what was asked of the twin').to.deep.equal([]);
      await says(site, 'the daemon of the first is killed', () => site.kill('hv1'), 120);
      expect(site.unready.get('twin')).to.equal('');
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      await says(site, 'the daemon of the first starts again', () => site.start('hv1'), 60);
      expect(site.unready.get('hv1')).to.contain('two machines call themselves hv1');
      await says(site, 'the daemon of the second is stopped', () => site.stop('twin'), 60);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('of which the first loses its network: it starts nothing, and ends when it is back and sees the other', async () => {
    await play(TWINS, async (site) => {
      await site.create('web');
      await site.clock.advance(15_000);
      const uuid = await site.uuidOf('web');
      site.start('twin');
      site.cutOff('hv1', true);
      await site.clock.advance(30_000);
      site.crash(uuid);
      await site.clock.advance(2 * MINUTE);
      expect(site.runningOn(uuid), 'nobody can know that it has ended').to.deep.equal([]);
      await site.create('db');
      await site.clock.advance(MINUTE);
      expect(site.runningOn(await site.uuidOf('db'))).to.deep.equal(['twin']);
      site.cutOff('hv1', false);
      await site.clock.advance(MINUTE);
      expect(site.failures.splice(0).join()).to.match(/^hv1: two machines call themselves hv1: give each its own/);
      expect(site.runningOn(await site.uuidOf('db'))).to.deep.equal(['twin']);
    });
  });

  it('that are one, set up anew: the former one was shut down in good order, and nobody waits', async () => {
    await play(TWINS, async (site) => {
      site.stop('hv1');
      await site.clock.advance(1_000);
      site.start('twin');
      await site.create('web');
      await site.clock.advance(5_000);
      expect(site.runningOn(await site.uuidOf('web'))).to.deep.equal(['twin']);
    });
  });
});
