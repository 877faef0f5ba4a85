// One API kind as data: everything its CustomResourceDefinition needs.
import type { TSchema } from 'typebox';
import type { CelRule } from './cel-rule.ts';

export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  jsonPath: string;
  description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority?: 0 | 1;
}

export interface KindDefinition {
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  scope: 'Namespaced' | 'Cluster';
  description: string;
  spec: TSchema;
  status: TSchema;
  /** What a new object's status says before anybody wrote it: without it kstatus takes the object for current. */
  statusDefault?: object;
  /** Rules over the whole object, where `self.metadata.name` and both spec and status can be seen. */
  rules?: readonly CelRule[];
  columns: readonly PrinterColumn[];
  /** JSON paths that watchers may filter on, at most eight. */
  selectableFields?: readonly string[];
}

/** Where a kind is served, in the shape that the Kubernetes client of this project asks for. */
export interface ResourceDescriptor<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly selectableFields: readonly string[];
  /** Never set: carries `T` for the compiler. */
  readonly objectType?: T;
}

/** What the client of this project has to know of the kind to ask for its objects. */
export function resourceOf<T>(definition: KindDefinition, apiVersion: string): ResourceDescriptor<T> {
  const { kind, plural, scope, selectableFields = [] } = definition;
  return { apiVersion, kind, plural, namespaced: scope === 'Namespaced', selectableFields };
}
