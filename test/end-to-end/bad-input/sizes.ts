import { expect } from 'chai';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { guest } from '../../site/manifest.ts';
import { conditionOf } from '../../site/user.ts';

export function describeSizes(under: () => SiteUnderTest): void {
  describe('sizes', () => {
    const impossible: [string, number, string, string][] = [
      ['no CPU', 0, '128Mi', 'spec.resources.cpus: Invalid value: 0: spec.resources.cpus in body should be greater'],
      ['more CPUs than any machine', 513, '128Mi', 'spec.resources.cpus in body should be less than or equal to 512'],
      [
        'hardly any memory',
        1,
        '1Ki',
        'spec.resources.memory: Invalid value: must be from 1Mi to 64Ti, for example 512Mi',
      ],
      [
        'memory in words',
        1,
        'lots',
        'spec.resources.memory: Invalid value: "lots": must be a number of bytes, or a number',
      ],
    ];
    for (const [title, cpus, memory, words] of impossible) {
      it(`kubectl apply refuses ${title}, and names the field and what it may be`, async () => {
        const refusal = await under()
          .user.apply(guest('impossible', { resources: { cpus, memory } }))
          .then(() => 'accepted', String);
        expect(refusal).to.include(words);
      });
    }

    it('that no hypervisor has are told with what each lacks and what would fit, and the VM runs once it fits', async () => {
      const { user } = under();
      await user.apply(guest('large', { resources: { cpus: 512, memory: '64Ti' } }));
      const vm = await user.sees('large', 'Scheduling TooFewCpus');
      expect(conditionOf(vm, 'Placed').message).to.match(
        /^None of 1 hypervisor can take it: 1 with too few free CPUs \(512 needed\) and with too little free memory \(64Ti needed\)\. The most room is on hv1: \d+ CPUs? and \S+ of memory are free\.$/,
      );
      expect((await user.warnings('large')).join()).to.match(/TooFewCpus: None of 1 hypervisor can take it/);
      await user.change('large', { resources: { cpus: 1, memory: '128Mi' }, powerOff: { mode: 'Force' } });
      await user.sees('large', 'Running');
      await user.remove('large');
      await user.untilGone('large');
    }).timeout(120_000);
  });
}
