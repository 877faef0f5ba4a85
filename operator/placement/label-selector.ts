import type { LabelSelector } from '#crds/v1alpha1/fragments.ts';

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** Whether the labels satisfy every requirement, by the rules of metav1.LabelSelector. An empty selector matches all. */
export function selectorMatches(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector.matchExpressions ?? []).every((requirement) => requirementHolds(requirement, labels));
}

function requirementHolds({ key, operator, values = [] }: Requirement, labels: Readonly<Record<string, string>>) {
  const label = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return label !== undefined && values.includes(label);
    case 'NotIn':
      return label === undefined || !values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
  }
}
