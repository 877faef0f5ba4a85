// Whether a program can do its work just now, part by part: what /readyz tells.
import type { KubeErrorReason } from '../kube/errors.ts';
import type { ReflectorObserver } from '../reflector/reflector.ts';

export class Readiness {
  readonly #faults = new Map<string, string | undefined>();

  /** Why this part keeps the program from its work; undefined where it does not. */
  tell(part: string, fault: string | undefined): void {
    this.#faults.set(part, fault);
  }

  /** By the parts that were ever told of. */
  faults(): Readonly<Record<string, string | undefined>> {
    return Object.fromEntries(this.#faults);
  }

  /** Tells of the changes of one kind: while they are not heard, decisions are made on what was. */
  observer(kind: string): ReflectorObserver {
    const part = `${kind} changes`;
    return {
      listed: () => this.tell(part, undefined),
      recovered: () => this.tell(part, undefined),
      failed: (_reason: KubeErrorReason, words: string) => this.tell(part, words),
    };
  }
}
