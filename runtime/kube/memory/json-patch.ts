// JSON patch, RFC 6902, with the four operations that the store port has; paths are JSON pointers, RFC 6901.
import { isDeepStrictEqual } from 'node:util';
import { KubeError } from '../errors.ts';
import type { JsonPatchOperation } from '../store.ts';
import { type Fields, isFields, wireCopy } from './json.ts';

type Container = Fields | unknown[];

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
      if (!isDeepStrictEqual(read(container, token, operation), wireCopy(operation.value))) {
        throw refused(operation, 'the value there is another one');
      }
      return;
    case 'add':
      add(container, token, operation);
      return;
    case 'replace':
      read(container, token, operation);
      write(container, token, wireCopy(operation.value));
      return;
    case 'remove':
      read(container, token, operation);
      remove(container, token);
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
    container = isContainer(container) ? read(container, step, operation) : undefined;
  }
  if (!isContainer(container)) {
    throw refused(operation, 'the path leads through a value that holds no fields');
  }
  return { container, token };
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isFields(value);
}

function read(container: Container, token: string, operation: JsonPatchOperation): unknown {
  if (!Object.hasOwn(container, token) || (Array.isArray(container) && !/^(0|[1-9][0-9]*)$/.test(token))) {
    throw refused(operation, 'there is no such field');
  }
  return Array.isArray(container) ? container[Number(token)] : container[token];
}

function write(container: Container, token: string, value: unknown): void {
  if (Array.isArray(container)) {
    container[Number(token)] = value;
  } else {
    container[token] = value;
  }
}

function add(container: Container, token: string, operation: Exclude<JsonPatchOperation, { op: 'remove' }>): void {
  const value = wireCopy(operation.value);
  if (!Array.isArray(container)) {
    container[token] = value;
    return;
  }
  const index = token === '-' ? container.length : Number(token);
  if (!Number.isInteger(index) || index < 0 || index > container.length) {
    throw refused(operation, 'there is no such place in the list');
  }
  container.splice(index, 0, value);
}

function remove(container: Container, token: string): void {
  if (Array.isArray(container)) {
    container.splice(Number(token), 1);
  } else {
    delete container[token];
  }
}

function refused({ op, path }: JsonPatchOperation, why: string): KubeError {
  return new KubeError('Invalid', `the JSON patch operation ${op} ${path} cannot be done: ${why}`);
}
