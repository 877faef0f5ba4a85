// One API kind as data: everything its CustomResourceDefinition needs.
import type { TSchema } from 'typebox';
import type { CelRule } from './builders.ts';

export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  jsonPath: string;
  description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority?: 0 | 1;
  format?: string;
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
