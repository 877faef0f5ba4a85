import { expect } from 'chai';
import { DeadlineExceeded } from '#runtime/clock/deadline.ts';
import { KubeError } from '../errors.ts';
import { errorOfAnswer, errorOfFailure, errorOfStatus } from './errors.ts';

describe('errors of the API server', () => {
  it('go by code, and by reason where two share one', () => {
    const reasons = {
      400: 'Invalid',
      401: 'Unauthorized',
      403: 'Forbidden',
      404: 'NotFound',
      408: 'Timeout',
      409: 'Conflict',
      410: 'Gone',
      413: 'Invalid',
      422: 'Invalid',
      429: 'TooManyRequests',
      500: 'Internal',
      503: 'Internal',
      504: 'Timeout',
    };
    for (const [code, reason] of Object.entries(reasons)) {
      expect(errorOfStatus({ code: Number(code) }).reason, code).to.equal(reason);
    }
    expect(errorOfStatus({ code: 409, reason: 'AlreadyExists' }).reason).to.equal('AlreadyExists');
  });

  it('say when to come back, by header or by detail', () => {
    const status = JSON.stringify({ kind: 'Status', message: 'busy', details: { retryAfterSeconds: 3 } });
    expect(errorOfAnswer(503, undefined, status).retryAfterSeconds).to.equal(3);
    expect(errorOfAnswer(503, '9', status).retryAfterSeconds).to.equal(9);
    expect(errorOfAnswer(503, 'Sat, 21 Nov 2026 04:00:00 GMT', '').retryAfterSeconds).to.equal(undefined);
  });

  it('quote a little of what is no answer of an API server', () => {
    const { reason, message } = errorOfAnswer(502, undefined, `<html>${'x'.repeat(1000)}`);
    expect(reason).to.equal('Internal');
    expect(message).to.match(/^HTTP 502: <html>x{194}$/);
  });

  it('tell no answer from a late one', () => {
    const late = Object.assign(new Error('headers'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
    expect(errorOfFailure(late, undefined).reason).to.equal('Timeout');
    expect(errorOfFailure(new DeadlineExceeded(10), undefined).reason).to.equal('Timeout');
    expect(errorOfFailure(new Error('ECONNREFUSED'), undefined).reason).to.equal('Unreachable');
    expect(errorOfFailure(late, AbortSignal.abort()).reason).to.equal('Unreachable');
  });

  it('pass on what is one already', () => {
    const error = new KubeError('Gone', 'too old');
    expect(errorOfFailure(error, AbortSignal.abort())).to.equal(error);
  });
});
