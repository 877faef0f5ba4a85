// The way of every write through the simulated API server: defaults, mutation, schema, validation.
import { KubeError } from '../errors.ts';
import { isFields, wireCopy } from '../json.ts';
import { type KubeObject, keyOf, keyText, type ObjectMetadata } from '../resource.ts';
import type { AdmissionRequest, KindModel } from './kind-model.ts';

export type Model = KindModel<KubeObject>;
export type Request = AdmissionRequest<KubeObject>;

/** The candidate as it will be stored. Throws what refuses it. */
export function admitted(model: Model, candidate: KubeObject, request: Request): KubeObject {
  const object = settled(model, mutated(model, settled(model, candidate, request), request), request);
  const fault = model.schemaFault?.(object);
  if (fault !== undefined) {
    throw new KubeError('Invalid', `${model.type.kind} ${keyText(keyOf(object))} is invalid: ${fault}`);
  }
  const refusal = model.validate?.(object, request);
  if (refusal !== undefined) {
    throw refusal;
  }
  return object;
}

function mutated(model: Model, object: KubeObject, request: Request): KubeObject {
  return wireCopy(model.mutate?.(object, request) ?? object);
}

/** Only what this kind of write may change is changed: status through /status, all else through the object itself. */
function settled(model: Model, candidate: KubeObject, { old, subresource }: Request): KubeObject {
  const object = subresource === 'status' && old !== undefined ? withStatusOf(old, candidate) : candidate;
  const separated = model.statusSubresource && subresource === undefined ? withStatusOf(object, old ?? {}) : object;
  return withoutEmptyMetadata(wireCopy(model.defaults?.(separated) ?? separated));
}

/** Empty maps and lists of metadata are not stored. */
function withoutEmptyMetadata(object: KubeObject): KubeObject {
  const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value ?? {}).length === 0;
  const metadata = Object.entries(object.metadata).filter(([, value]) => !isEmpty(value));
  return { ...object, metadata: Object.fromEntries(metadata) as unknown as ObjectMetadata };
}

function withStatusOf(object: KubeObject, source: object): KubeObject {
  const { status: _, ...rest }: KubeObject & { status?: unknown } = object;
  return isFields(source) && 'status' in source ? Object.assign(rest, { status: source.status }) : rest;
}
