// JSON patch, RFC 6902, with the four operations that the store port has; paths are JSON pointers, RFC 6901. Where the
// API server is milder than the RFC, so is this: a missing field can be replaced, and equals null in a test.
import { isDeepStrictEqual } from 'node:util';
import { KubeError } from '../errors.ts';
import { type Fields, isFields, wireCopy } from '../json.ts';
import type { JsonPatchOperation } from '../store.ts';

type Container = Fields | unknown[];

type ValueOperation = Exclude<JsonPatchOperation, { op: 'remove' }>;

/** The target with all operations done in order. Throws Invalid, naming the operation, when one cannot be done. */
export function jsonPatch(target: object, patch: readonly JsonPatchOperation[]): unknown {
  const root: Fields = { '': wireCopy(target) };
  for (const operation of patch) {
    perform(root, operation);
  }
  return root[''];
}

function perform(root: Fields, operation: JsonPatchOperation): void {
  const { container, token } = locate(root, operation);
  switch (operation.op) {
    case 'test':
      if (!isDeepStrictEqual(read(container, token) ?? null, wireCopy(operation.value))) {
        throw refused(operation, 'the value there is another one');
      }
      return;
    case 'add':
      add(container, token, operation);
      return;
    case 'replace':
      replace(container, token, operation);
      return;
    case 'remove':
      remove(container, token, operation);
  }
}

function locate(root: Fields, operation: JsonPatchOperation): { container: Container; token: string } {
  if (operation.path !== '' && !operation.path.startsWith('/')) {
    throw refused(operation, 'a path begins with /');
  }
  const tokens = operation.path.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  const token = tokens.pop() ?? '';
  let container: unknown = root;
  for (const step of tokens) {
    container = isContainer(container) ? read(container, step) : undefined;
  }
  if (!isContainer(container)) {
    throw refused(operation, 'the path leads through a value that holds no fields');
  }
  return { container, token };
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isFields(value);
}

function read(container: Container, token: string): unknown {
  if (Array.isArray(container)) {
    return container[indexOf(container, token) ?? -1];
  }
  return Object.hasOwn(container, token) ? container[token] : undefined;
}

/** Undefined where the list has no such place. */
function indexOf(list: readonly unknown[], token: string): number | undefined {
  const index = /^(0|[1-9][0-9]*)$/.test(token) ? Number(token) : list.length;
  return index < list.length ? index : undefined;
}

function replace(container: Container, token: string, operation: ValueOperation): void {
  const value = wireCopy(operation.value);
  if (!Array.isArray(container)) {
    container[token] = value;
    return;
  }
  const index = indexOf(container, token);
  if (index === undefined) {
    throw refused(operation, 'there is no such place in the list');
  }
  container[index] = value;
}

function add(container: Container, token: string, operation: ValueOperation): void {
  const value = wireCopy(operation.value);
  if (!Array.isArray(container)) {
    container[token] = value;
    return;
  }
  const end = token === '-' || token === String(container.length);
  const index = end ? container.length : indexOf(container, token);
  if (index === undefined) {
    throw refused(operation, 'there is no such place in the list');
  }
  container.splice(index, 0, value);
}

function remove(container: Container, token: string, operation: JsonPatchOperation): void {
  const index = Array.isArray(container) ? indexOf(container, token) : undefined;
  if (Array.isArray(container) && index !== undefined) {
    container.splice(index, 1);
    return;
  }
  if (Array.isArray(container) || !Object.hasOwn(container, token)) {
    throw refused(operation, 'there is no such field');
  }
  delete container[token];
}

function refused({ op, path }: JsonPatchOperation, why: string): KubeError {
  return new KubeError('Invalid', `the JSON patch operation ${op} ${path} cannot be done: ${why}`);
}
