// Which foreign domains are meant by the rules of their hypervisor, and what their VirtualMachines are called. Pure.
import { compiled } from '#crds/set/regex.ts';
import { DNS_LABEL } from '#crds/v1alpha1/fragments.ts';
import type { HypervisorSpec } from '#crds/v1alpha1/hypervisor.ts';

export type Adoption = NonNullable<HypervisorSpec['adoption']>;

const isLabel = new RegExp(DNS_LABEL);
const LONGEST_LABEL = 63;

/** The name of the domain without the suffix of its hypervisor. */
export function adoptedName(domain: string, { nameSuffix = '' }: Pick<Adoption, 'nameSuffix'> = {}): string {
  return nameSuffix !== '' && domain.endsWith(nameSuffix) ? domain.slice(0, -nameSuffix.length) : domain;
}

export function isMachineName(name: string): boolean {
  return name.length <= LONGEST_LABEL && isLabel.test(name);
}

/** Whether a rule means this domain; or what is wrong with the rule. */
export function isMeant(domain: string, { nameSuffix, nameRegex }: Adoption): boolean | string {
  if (nameSuffix !== undefined && domain.endsWith(nameSuffix)) return true;
  if (nameRegex === undefined) return false;
  try {
    return compiled(nameRegex)(domain);
  } catch (error) {
    return `spec.adoption.nameRegex: ${error instanceof Error ? error.message : String(error)}.`;
  }
}
