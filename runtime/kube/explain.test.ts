import { expect } from 'chai';
import { KubeError, type KubeErrorReason } from './errors.ts';
import { type Advice, inWords } from './explain.ts';

describe('an error of the API server in words', () => {
  const table: [string, KubeErrorReason, string, Advice, RegExp][] = [
    [
      'says where to look for one that is not there',
      'Unreachable',
      'refused',
      {},
      /^refused; see whether it runs, and/,
    ],
    ['says what a token needs', 'Unauthorized', 'Unauthorized', {}, /^Unauthorized; the token or client certificate/],
    ['says who may give a right', 'Forbidden', 'cannot list', {}, /^cannot list; give the user of the kubeconfig the/],
    ['takes the word of whoever asked', 'Forbidden', 'cannot list', { Forbidden: 'do this' }, /^cannot list; do this$/],
    ['adds nothing where nothing can be done', 'Conflict', 'changed', { Forbidden: 'do this' }, /^changed$/],
    [
      'tells a certificate that is not trusted from a server that is not there, whatever the caller advises',
      'Unreachable',
      'cannot reach the API server: certificate is not yet valid',
      { Unreachable: 'do this' },
      /certificate-authority in the kubeconfig vouches for.* or the clock of this machine$/,
    ],
    ['does so of one that nobody signed', 'Unreachable', 'self-signed certificate', {}, /certificate-authority in the/],
  ];
  for (const [title, reason, message, advice, words] of table) {
    it(title, () => expect(inWords(new KubeError(reason, message), advice)).to.match(words));
  }
});
