// The objects of this folder: what every validator must accept, and what it must refuse and why.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KindDefinition } from '#crds/schema/kind.ts';
import { virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import { operationKind } from '#crds/v1alpha1/virtual-machine-operation.ts';

/** An object as a user sends it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: unknown;
  status?: unknown;
}

export interface Valid {
  file: string;
  object: Manifest;
}

export interface Invalid extends Valid {
  /** `schema`: ajv and the API server refuse it. `cel`: only the API server can. */
  rejectedBy: 'schema' | 'cel';
  /** The field that the message must name. */
  field: string;
  /** What the message must hold. */
  says: string;
}

export function validManifests(kind: KindDefinition): Valid[] {
  const own = filesOf(kind, 'valid').map(({ file, text }) => ({ file, object: parse(text) }));
  return [...own, ...(holdsTemplate(kind) ? validManifests(virtualMachineKind).map(asTemplate) : [])];
}

/** Throws an Error where the header of a file does not say who rejects it, at which field and in which words. */
export function invalidManifests(kind: KindDefinition): Invalid[] {
  const own = filesOf(kind, 'invalid').map(({ file, text }) => ({
    file,
    object: parse(text),
    rejectedBy: tier(file, header(file, text, 'rejected by')),
    field: header(file, text, 'field'),
    says: header(file, text, 'says'),
  }));
  if (!holdsTemplate(kind)) return own;
  const ofSpec = invalidManifests(virtualMachineKind).filter(({ field }) => /^spec\b/.test(field));
  return [...own, ...ofSpec.map((entry) => ({ ...asTemplate(entry), field: `spec.template.${entry.field}` }))];
}

/** Whatever a VirtualMachine may and may not be holds for a template of one, too. */
function holdsTemplate({ kind }: KindDefinition): boolean {
  return kind === operationKind.kind;
}

function asTemplate<T extends Valid>({ file, object, ...rest }: T) {
  const { apiVersion, spec } = object;
  const start = { type: 'Start', targets: { set: 'web-1' }, template: { spec } };
  const { kind } = operationKind;
  return {
    ...rest,
    file: `a template of ${file}`,
    object: { apiVersion, kind, metadata: { name: 'op', namespace: 'default' }, spec: start },
  };
}

function filesOf(kind: KindDefinition, folder: 'valid' | 'invalid'): { file: string; text: string }[] {
  const directory = join(import.meta.dirname, kind.singular, folder);
  return readdirSync(directory)
    .toSorted()
    .map((name) => ({ file: `${kind.singular}/${folder}/${name}`, text: readFileSync(join(directory, name), 'utf8') }));
}

function header(file: string, text: string, name: string): string {
  const start = `# ${name}: `;
  const line = text.split('\n').find((candidate) => candidate.startsWith(start));
  if (line === undefined) throw new Error(`${file}: begin it with "${start}…"`);
  return line.slice(start.length);
}

function tier(file: string, text: string): Invalid['rejectedBy'] {
  if (text !== 'schema' && text !== 'cel') throw new Error(`${file}: "rejected by" is schema or cel, not ${text}`);
  return text;
}
