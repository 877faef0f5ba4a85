// Telling everyone who wants to know; whoever fails harms nobody else.
import { type KubeObject, keyOf, keyText } from '../kube/resource.ts';
import type { Logger } from '../process/log.ts';
import type { ObjectChange } from './changes.ts';

/** Called in order, one change at a time; not waited for. What it throws, or rejects with, is logged. */
export type ChangeHandler<T> = (change: ObjectChange<T>) => void | Promise<void>;

export class ChangeHandlers<T extends KubeObject> {
  readonly #handlers: ChangeHandler<T>[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `present` is told to the new handler as added. */
  add(handler: ChangeHandler<T>, present: readonly T[]): void {
    this.#handlers.push(handler);
    present.forEach((object) => this.#call(handler, { type: 'added', object }));
  }

  tell(change: ObjectChange<T>): void {
    this.#handlers.forEach((handler) => this.#call(handler, change));
  }

  #call(handler: ChangeHandler<T>, change: ObjectChange<T>): void {
    const failed = (error: unknown): void => {
      const key = keyText(keyOf(change.object));
      this.#logger.error('a handler of changes failed', { change: change.type, kind: change.object.kind, key, error });
    };
    try {
      Promise.resolve(handler(change)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
