// Who set which field: what server-side apply needs to find conflicts. Lists are one field each, owned whole.
import { isDeepStrictEqual } from 'node:util';
import { KubeError } from '../errors.ts';
import { type Fields, isFields } from '../json.ts';
import type { KubeObject } from '../resource.ts';

/** The same name in two operations is two owners, as on the API server. Fields are texts such as ".spec.replicas". */
export interface FieldOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly fields: readonly string[];
}

type Leaves = ReadonlyMap<string, unknown>;

const UNOWNED = new Set([
  '.apiVersion',
  '.kind',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.uid',
  '.metadata.resourceVersion',
  '.metadata.generation',
  '.metadata.creationTimestamp',
  '.metadata.deletionTimestamp',
  '.metadata.deletionGracePeriodSeconds',
  '.metadata.managedFields',
]);

/** The owners after a plain write: the writer owns what it changed, and nobody owns what is gone. */
export function ownersAfterUpdate(
  owners: readonly FieldOwner[],
  manager: string,
  before: KubeObject | undefined,
  after: KubeObject,
): FieldOwner[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const changed = ownable(is).filter((field) => !isDeepStrictEqual(is.get(field), was.get(field)));
  const others = owners.map((owner) => without(owner, (field) => changed.includes(field) || !is.has(field)));
  return changed.length === 0 ? tidy(others) : tidy(withFields(others, { manager, operation: 'Update' }, changed));
}

export interface Applied {
  readonly object: KubeObject;
  readonly owners: FieldOwner[];
}

/**
 * Merges what the manager applies into the object: fields it applied before and now leaves out are removed unless
 * another owns them too. Throws Conflict, naming owners and fields, where another owner has a different value.
 */
export function applyFields(
  current: { object: KubeObject; owners: readonly FieldOwner[] },
  applied: KubeObject,
  { fieldManager, force = false }: { fieldManager: string; force?: boolean },
): Applied {
  const wanted = leavesOf(applied);
  const present = leavesOf(current.object);
  const isMine = ({ manager, operation }: FieldOwner): boolean => manager === fieldManager && operation === 'Apply';
  const others = current.owners.filter((owner) => !isMine(owner));
  const taken = ownable(wanted).filter((field) => !isDeepStrictEqual(present.get(field), wanted.get(field)));
  if (!force) {
    refuseConflicts(others, taken, applied.apiVersion);
  }
  const left = others.map((owner) => without(owner, (field) => taken.includes(field)));
  const given = current.owners.filter(isMine).flatMap(({ fields }) => fields);
  const dropped = given.filter((field) => !wanted.has(field) && !left.some(({ fields }) => fields.includes(field)));
  const mine: FieldOwner = { manager: fieldManager, operation: 'Apply', fields: ownable(wanted).sort() };
  return { object: withLeaves(current.object, wanted, dropped), owners: tidy([...left, mine]) };
}

/** In the API server's words, which name the owner and the fields. */
function refuseConflicts(others: readonly FieldOwner[], taken: readonly string[], apiVersion: string): void {
  const conflicts = others.flatMap(({ manager, operation, fields }) => {
    const version = operation === 'Update' ? ` using ${apiVersion}` : '';
    return fields
      .filter((field) => taken.includes(field))
      .map((field) => `conflict with "${manager}"${version}: ${field}`);
  });
  if (conflicts.length > 0) {
    const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`;
    throw new KubeError('Conflict', `Apply failed with ${count}: ${conflicts.join('\n- ')}`);
  }
}

/** Every value that is not an object, and every empty object, by its path. */
function leavesOf(object: KubeObject | undefined): Leaves {
  const leaves = new Map<string, unknown>();
  const collect = (value: unknown, path: string): void => {
    if (UNOWNED.has(path)) {
      return;
    }
    if (!isFields(value) || (Object.keys(value).length === 0 && path !== '')) {
      leaves.set(path, value);
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      collect(inner, `${path}.${escaped(name)}`);
    }
  };
  collect(object ?? {}, '');
  return leaves;
}

/** An empty object is there for all: only what objects hold is owned. */
function ownable(leaves: Leaves): string[] {
  return [...leaves].filter(([, value]) => !isFields(value)).map(([field]) => field);
}

function withLeaves(object: KubeObject, leaves: Leaves, dropped: readonly string[]): KubeObject {
  const copy = structuredClone(object);
  dropped.forEach((field) => removeLeaf(copy, namesOf(field)));
  for (const [field, value] of leaves) {
    setLeaf(copy, namesOf(field), value);
  }
  return copy;
}

function setLeaf(root: object, names: readonly string[], value: unknown): void {
  let fields = root as Fields;
  for (const name of names.slice(0, -1)) {
    const inner = isFields(fields[name]) ? fields[name] : {};
    fields[name] = inner;
    fields = inner;
  }
  const name = names.at(-1) ?? '';
  fields[name] = isFields(value) && isFields(fields[name]) ? fields[name] : value;
}

/** With the objects that it leaves empty. */
function removeLeaf(root: unknown, [name = '', ...inner]: readonly string[]): void {
  if (!isFields(root)) {
    return;
  }
  const held = root[name];
  removeLeaf(held, inner);
  if (inner.length === 0 || (isFields(held) && Object.keys(held).length === 0)) {
    delete root[name];
  }
}

/** Names may hold dots (labels do), so those are told apart from the ones between names. */
function escaped(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
}

function namesOf(field: string): string[] {
  const names = field.match(/(?:\\.|[^.\\])+/g) ?? [];
  return names.map((name) => name.replaceAll(/\\(.)/g, '$1'));
}

function without(owner: FieldOwner, gone: (field: string) => boolean): FieldOwner {
  return { ...owner, fields: owner.fields.filter((field) => !gone(field)) };
}

function withFields(
  owners: readonly FieldOwner[],
  { manager, operation }: Omit<FieldOwner, 'fields'>,
  added: readonly string[],
): FieldOwner[] {
  const same = (owner: FieldOwner): boolean => owner.manager === manager && owner.operation === operation;
  const fields = owners.filter(same).flatMap((owner) => owner.fields);
  return [...owners.filter((owner) => !same(owner)), { manager, operation, fields: [...fields, ...added].sort() }];
}

/** In an order of their own, so that two can be compared. */
function tidy(owners: readonly FieldOwner[]): FieldOwner[] {
  const name = ({ manager, operation }: FieldOwner): string => `${operation} ${manager}`;
  return owners.filter(({ fields }) => fields.length > 0).sort((a, b) => (name(a) < name(b) ? -1 : 1));
}
