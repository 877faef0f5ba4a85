import { expect } from 'chai';
import { INSTANCE_UUID_ANNOTATION, isOurAnnotation, REQUESTER_ANNOTATION } from './names.ts';

describe('an annotation', () => {
  it('is ours by its prefix', () => {
    for (const name of [REQUESTER_ANNOTATION, INSTANCE_UUID_ANNOTATION, 'policy.usher.dev/quota']) {
      expect(isOurAnnotation(name), name).to.equal(true);
    }
  });

  it('is another program’s where it has another prefix, or none', () => {
    const last = 'kubectl.kubernetes.io/last-applied-configuration';
    for (const name of [last, 'notusher.dev/a', 'usher.dev.example.org/a', 'usher.dev', 'a/usher.dev', '']) {
      expect(isOurAnnotation(name), name).to.equal(false);
    }
  });
});
