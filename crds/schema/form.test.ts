import { expect } from 'chai';
import { formOf, formRule } from './form.ts';

describe('the form of a string', () => {
  const form = { pattern: '^[a-z]+$', message: 'must be lower-case letters, for example abc' };

  it('is a CEL rule, and is found in it again', () => {
    expect(formRule(form, 'self')).to.deep.equal({ rule: "self.matches('^[a-z]+$')", message: form.message });
    expect(formOf(formRule(form, 'self'))).to.deep.equal(form);
    expect(formOf(formRule(form, 'string(self)'))).to.deep.equal(form);
  });

  it('is not found in any other rule', () => {
    expect(formOf({ rule: "self.size() > 1 && string(self).matches('a')", message: '' })).to.equal(undefined);
  });

  it('holds nothing that CEL reads differently', () => {
    for (const pattern of ["^'$", '^\\d$'])
      expect(() => formRule({ ...form, pattern }, 'self')).to.throw(TypeError, pattern);
  });
});
