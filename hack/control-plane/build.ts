// Has the control plane's programs ready before tests or the demo ask for them, so that the wait is where it is announced.

import { announce } from '../progress.ts';
import { ControlPlaneUnavailable, controlPlaneBinaries } from './binaries.ts';

if (process.env['USHER_TEST_KUBECONFIG']) {
  announce('Tests use the cluster of USHER_TEST_KUBECONFIG: no control plane is built for them.');
} else {
  await controlPlaneBinaries().catch((error: unknown) => {
    if (!(error instanceof ControlPlaneUnavailable)) throw error;
    announce(`Tests that need a control plane will be skipped: ${error.message}`);
  });
}
