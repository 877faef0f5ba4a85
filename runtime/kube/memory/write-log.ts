// One write that reached the simulated API server, so that tests can count them.
import type { KubeErrorReason } from '../errors.ts';
import type { Call } from './faults.ts';
import type { WriteVerb } from './kind-model.ts';

export interface WriteRecord extends Call {
  readonly verb: WriteVerb;
  readonly key: string;
  /** 'unchanged' is a write that said nothing new, so that nothing was stored. */
  readonly outcome: 'written' | 'unchanged' | KubeErrorReason;
}
