import { expect } from 'chai';
import { invalidManifests, validManifests } from './corpus/corpus.ts';
import { bounds, hostileTexts, longestTexts, violations } from './corpus/violations.ts';
import { rootSchema } from './schema/to-crd.ts';
import { kinds } from './v1alpha1/kinds.ts';
import { validatorFor } from './validate.ts';

/** What people write for policies alone. */
const FREE_TEXT: Readonly<Record<string, readonly string[]>> = {
  VirtualMachine: ['spec.parameters'],
  // Read by its own parser, too.
  Hypervisor: ['spec.adoption.nameRegex'],
  // A set is read by its own parser, which says what is wrong with it better than a pattern could.
  VirtualMachineOperation: [
    'spec.targets.set',
    'spec.targets.hypervisors',
    'spec.template.spec.parameters',
    'spec.hypervisorHints',
    'spec.reason',
  ],
  DomainReport: [],
};

for (const kind of kinds) {
  const validate = validatorFor(kind);
  const errorsOf = (object: unknown) => {
    const verdict = validate(object);
    return verdict.valid ? '' : verdict.errors.join('\n');
  };

  describe(`the corpus of ${kind.kind}`, () => {
    for (const { file, object } of validManifests(kind)) {
      it(`accepts ${file}`, () => {
        expect(errorsOf(object)).to.equal('');
      });
    }

    for (const { file, object, rejectedBy, field, says } of invalidManifests(kind)) {
      if (rejectedBy === 'schema') {
        it(`refuses ${file} and says where and why`, () => {
          const lines = errorsOf(object).split('\n');
          expect(lines.filter((line) => line.startsWith(`${field}: `)).join('\n')).to.include(says);
        });
      } else {
        it(`leaves ${file} to the API server`, () => {
          expect(errorsOf(object)).to.equal('');
        });
      }
    }

    it('has an entry for every rule that is not about a change', () => {
      const said = invalidManifests(kind).map((entry) => entry.says);
      const messages = ruleMessages(rootSchema(kind));
      expect(messages.filter((message) => !said.some((text) => message.startsWith(text)))).to.deep.equal([]);
    });
  });

  describe(`the schema of ${kind.kind}`, () => {
    const broken = validManifests(kind).flatMap(({ object }) => violations(rootSchema(kind), object));

    it('has a valid manifest for every field', () => {
      const covered = new Set(broken.map((violation) => violation.bound));
      expect(bounds(rootSchema(kind)).filter((bound) => !covered.has(bound))).to.deep.equal([]);
    });

    it('has a valid manifest with every text that people write as long as it may be', () => {
      const reached = new Set(validManifests(kind).flatMap(({ object }) => longestTexts(rootSchema(kind), object)));
      const wanted = bounds(rootSchema(kind)).filter((bound) => /^spec.* maxLength$/.test(bound));
      expect(wanted.filter((bound) => !reached.has(bound))).to.deep.equal([]);
    });

    it('takes nothing that XML, a terminal or an eye could trip over but where text is free', () => {
      const commandLine = /spec\.boot\.kernel\.commandLine markup$/;
      const free = hostileTexts(rootSchema(kind)).filter((text) => !commandLine.test(text));
      expect([...new Set(free.map((text) => text.split(' ')[0]))]).to.have.members(FREE_TEXT[kind.kind] ?? []);
    });

    it('refuses whatever breaks a bound, naming the field and the bound', () => {
      for (const { bound, field, says, object } of broken) {
        const lines = errorsOf(object).split('\n');
        expect(
          lines.some((line) => line.startsWith(`${field}: `) && line.includes(says)),
          `${bound}: ${lines.join('\n')}`,
        ).to.equal(true);
      }
    });
  });
}

function ruleMessages(schema: object): string[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword !== 'x-kubernetes-validations') return typeof value === 'object' ? ruleMessages(Object(value)) : [];
    return Object.values(Object(value))
      .map((rule) => Object(rule))
      .filter((rule) => !String(rule.rule).includes('oldSelf'))
      .map((rule) => String(rule.message));
  });
}
