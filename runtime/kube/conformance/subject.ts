// What the conformance suite must be told of a store.
import type { KubeStore } from '../store.ts';

export interface StoreUnderTest {
  readonly name: string;
  /** Called before every test. */
  open(): Promise<OpenedStore>;
  /** Called after every test. */
  close?(): Promise<void>;
  /** Lets so many milliseconds pass, on whatever clock the store's server has. */
  pass(milliseconds: number): Promise<void>;
  /**
   * Makes the server forget the moment of a continue token, and returns a token that it has forgotten. Left out where
   * a server cannot be made to forget.
   */
  forget?(token: string): Promise<string>;
}

/** Serves ConfigMaps and Widgets, in a namespace in which nothing else happens. */
export interface OpenedStore {
  readonly store: KubeStore;
  /** The field manager under which the store's plain writes count. */
  readonly manager: string;
  readonly namespace: string;
}
