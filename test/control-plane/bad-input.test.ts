// What the programs say where they were told what is wrong, or find what they did not expect: the shipped programs, on
// a real API server that has nothing of Usher at first.
import { describeKubeconfigs } from './bad-input/kubeconfigs.ts';
import { describeMissingApi } from './bad-input/missing-api.ts';
import { describeMissingLibvirt } from './bad-input/missing-libvirt.ts';
import { describeOptions } from './bad-input/options.ts';
import { killAllPrograms } from './bad-input/running-program.ts';
import { describeTokens } from './bad-input/tokens.ts';
import { describeOwnControlPlane } from './harness.ts';

describeOwnControlPlane('bad input to the programs', {}, (cluster) => {
  afterEach(() => killAllPrograms());

  describeOptions();
  describeKubeconfigs(cluster);
  describeMissingApi(cluster); // installs it at its end
  describeTokens(cluster);
  describeMissingLibvirt(cluster);
});
