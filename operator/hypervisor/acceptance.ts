// Whose first join is accepted without a person: everybody's, nobody's, or those whose names the site has said
// beforehand. By name and not by label: a daemon chooses its labels, and its token holds it to its name.
import { matcherOf } from '#crds/set/names.ts';
import { parseSet } from '#crds/set/parse.ts';
import { SetFault } from '#crds/set/syntax.ts';

export interface AcceptanceRule {
  /** Why this hypervisor may join; undefined where a person must say so. */
  reasonFor(name: string): { readonly code: string; readonly reason: string } | undefined;
}

export const AUTOMATIC = 'Automatic';
const MANUAL = 'Manual';

const automatic: AcceptanceRule = {
  reasonFor: () => ({ code: 'Allowed', reason: 'Every hypervisor whose daemon may register is accepted.' }),
};
const manual: AcceptanceRule = { reasonFor: () => undefined };

/** From the operator's option. Throws a SetFault that says what to write instead. */
export function acceptanceRule(text: string): AcceptanceRule {
  if (text === AUTOMATIC) return automatic;
  if (text === MANUAL) return manual;
  const matches = matcherOf(parseSet(text, 'Hypervisor'));
  const reason = `Its name is in the set ${text} (--hypervisor-acceptance of the operator).`;
  return { reasonFor: (name) => (matches(name) ? { code: 'AllowedByName', reason } : undefined) };
}

/** What is wrong with the option; undefined where nothing is. */
export function acceptanceFault(text: string): string | undefined {
  const meant = [AUTOMATIC, MANUAL].find((word) => word !== text && word.toLowerCase() === text.toLowerCase());
  if (meant !== undefined) return `must be written ${meant}`;
  try {
    acceptanceRule(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
    return `must be ${AUTOMATIC}, ${MANUAL} or a set of names such as kvm{1-20}.example.org: ${error.message}`;
  }
}
