// Guests that end by themselves: what is said of it, and what restartPolicy makes of it.
import { expect } from 'chai';
import { signalGuest } from '#hack/hypervisor-host/faults.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { hostOf, untilSaid } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { CRASHING } from './names.ts';

const NEVER = 'off-never';
const ON_FAILURE = 'off-on-failure';
const ALWAYS = 'off-always';

export function describeEnds(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');

  describe('that end by themselves', () => {
    before('three guests that power themselves off', async () => {
      const made = (name: string, restartPolicy: 'Never' | 'OnFailure' | 'Always') =>
        guest(name, { ...on('hv1'), restartPolicy, powerOff: { mode: 'Force' } }, 'usher.poweroff=1');
      await under().user.apply(made(NEVER, 'Never'), made(ON_FAILURE, 'OnFailure'), made(ALWAYS, 'Always'));
    });

    it('one that powers itself off is done, under restartPolicy Never', async () => {
      const vm = await under().user.sees(NEVER, 'Stopped Completed', 120);
      expect(readyOf(vm)).to.include({
        status: 'True',
        message: 'The guest powered itself off. restartPolicy Never leaves it so.',
      });
      expect(vm.status?.lastTermination).to.include({ reason: 'StoppedByGuest', initiator: 'Guest' });
      expect(await under().user.warnings(NEVER)).to.deep.equal([]);
    }).timeout(180_000);

    it('under OnFailure it stays off too, says that it should run, and how to start it', async () => {
      const { user } = under();
      const vm = await user.sees(ON_FAILURE, 'Stopped StoppedByGuest', 120);
      expect(readyOf(vm)).to.include({
        status: 'False',
        message:
          'The guest powered itself off. restartPolicy OnFailure leaves it so. To start it again set spec.powerState to Stopped, wait until it is Ready (Stopped), and set it back to Running.',
      });
      expect(conditionOf(vm, 'Stalled').status).to.equal('True');
      expect(await user.describe(ON_FAILURE)).to.contain('The guest powered itself off.');
      await user.change(ON_FAILURE, { powerState: 'Stopped' });
      expect(readyOf(await user.sees(ON_FAILURE, 'Stopped Stopped')).status).to.equal('True');
      await user.change(ON_FAILURE, { powerState: 'Running' });
      expect((await user.sees(ON_FAILURE, 'Running')).status?.placement?.epoch).to.equal(2);
    }).timeout(180_000);

    it('under Always it is started again', async () => {
      const { user } = under();
      await untilSaid(host(), ALWAYS, /^up after/, { times: 2, seconds: 120 });
      const restarting = user.machines.versions(ALWAYS).find((vm) => readyOf(vm).reason === 'Restarting');
      expect(restarting === undefined ? undefined : readyOf(restarting).message).to.equal(
        'The guest powered itself off. It will be started again (restartPolicy Always).',
      );
      expect(await user.warnings(ALWAYS)).to.deep.equal([]);
    }).timeout(180_000);

    after(async () => under().user.remove(NEVER, ON_FAILURE, ALWAYS));

    it('one whose QEMU is killed has crashed, is started again, and says both', async () => {
      const { user } = under();
      await user.apply(guest(CRASHING, on('hv1')));
      await user.sees(CRASHING, 'Running');
      await signalGuest(host(), `default.${CRASHING}`, 'KILL');
      const crashed = await user.seesThat(CRASHING, 'the crash', ({ status }) => status?.lastTermination !== undefined);
      expect(readyOf(crashed)).to.deep.include({
        status: 'False',
        reason: 'Crashed',
        message:
          'The guest crashed: its process on hv1 ended unexpectedly. It will be started again (restartPolicy OnFailure).',
      });
      const vm = await user.sees(CRASHING, 'Running');
      expect(vm.status?.lastTermination).to.include({ reason: 'Crashed', initiator: 'Unknown' });
      expect(vm.status?.placement?.epoch).to.equal(1);
      const story = user.story(CRASHING).filter((state) => !state.startsWith('Starting'));
      expect(story.slice(1)).to.deep.equal(['Running Running', 'Failed Crashed', 'Running Running']);
      expect(await user.warnings(CRASHING)).to.deep.equal([
        'Crashed: The guest crashed: its process on hv1 ended unexpectedly.',
      ]);
      expect(await user.describe(CRASHING)).to.match(
        /Last Termination:\s+Initiator:\s+Unknown\s+Message:\s+The guest crashed: /,
      );
    }).timeout(180_000);
  });
}
