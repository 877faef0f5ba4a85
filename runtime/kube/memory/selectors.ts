// Label and field selectors, as text and as predicates.
import { KubeError } from '../errors.ts';
import { valueAt } from '../json.ts';
import type { KubeObject, ResourceType } from '../resource.ts';

export type Selects = (object: KubeObject) => boolean;

export interface Selection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** True for the objects that all parts of the selection pick. Throws Invalid for a selector that cannot be read. */
export function selects(type: ResourceType<KubeObject>, selection: Selection): Selects {
  const { namespace, labelSelector = '', fieldSelector = '' } = selection;
  const terms = [
    ...splitTerms(labelSelector).map(labelTerm),
    ...splitTerms(fieldSelector).map((term) => fieldTerm(type, term)),
  ];
  return (object) =>
    (namespace === undefined || !type.namespaced || object.metadata.namespace === namespace) &&
    terms.every((selected) => selected(object));
}

/** At commas outside of parentheses. */
function splitTerms(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

const EQUALITY = /^([^!=\s]+)\s*(==|=|!=)\s*([^!=\s]*)$/;
const MEMBERSHIP = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/;
const EXISTENCE = /^(!?)\s*([^!=\s(),]+)$/;

function labelTerm(term: string): Selects {
  const equality = EQUALITY.exec(term);
  if (equality !== null) {
    const [, name = '', operator, value] = equality;
    return (object) => (label(object, name) === value) === (operator !== '!=');
  }
  const membership = MEMBERSHIP.exec(term);
  if (membership !== null) {
    const [, name = '', operator, list = ''] = membership;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return (object) => values.has(label(object, name) ?? NO_LABEL) === (operator === 'in');
  }
  const existence = EXISTENCE.exec(term);
  if (existence !== null) {
    const [, negation, name = ''] = existence;
    return (object) => (label(object, name) !== undefined) === (negation === '');
  }
  throw new KubeError('Invalid', `the label selector term "${term}" cannot be read: write a=b, a!=b, a in (b,c) or a`);
}

/** No label can have this value, so a missing label is in no set. */
const NO_LABEL = ' ';

function label(object: KubeObject, name: string): string | undefined {
  return object.metadata.labels?.[name];
}

function fieldTerm(type: ResourceType<KubeObject>, term: string): Selects {
  const equality = EQUALITY.exec(term);
  if (equality === null) {
    throw new KubeError('Invalid', `the field selector term "${term}" cannot be read: write path=value or path!=value`);
  }
  const [, path = '', operator, value] = equality;
  const selectable = ['metadata.name', 'metadata.namespace', ...(type.selectableFields ?? []).map(withoutDot)];
  if (!selectable.includes(path)) {
    throw new KubeError('Invalid', `${path} is not selectable for ${type.kind}: use one of ${selectable.join(', ')}`);
  }
  const names = path.split('.');
  return (object) => (fieldText(valueAt(object, names)) === value) === (operator !== '!=');
}

/** Kinds name their selectable fields as JSON paths (".spec.x"), selectors without the first dot. */
function withoutDot(path: string): string {
  return path.startsWith('.') ? path.slice(1) : path;
}

/** A field that is not there, or holds no plain value, compares as the empty text. */
function fieldText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
