// What an error of the API server means to whoever runs the program, and what to do about it.
import type { KubeError, KubeErrorReason } from './errors.ts';

/** What to do, by the reason of the error; the caller knows what it asked for. */
export type Advice = Readonly<Partial<Record<KubeErrorReason, string>>>;

const USUAL: Advice = {
  Unauthorized:
    'the token or client certificate of the kubeconfig is wrong, has expired, or is of another cluster: put a new one in its place',
  Forbidden:
    'give the user of the kubeconfig the right to do this, or use the kubeconfig that was made for this program',
  Unreachable: 'see whether it runs, and whether the kubeconfig has its address',
  Timeout: 'see whether it runs, and whether the network lets the answers through',
};

const CERTIFICATE = /certificate|CERT_|altnames|self-signed/i;
const DISTRUST =
  'its certificate is not one that certificate-authority in the kubeconfig vouches for, here and now: correct that, or the clock of this machine';

/** "…; do this", with what the caller advises before what is usual. */
export function inWords(error: KubeError, advice: Advice = {}): string {
  const distrusted = error.reason === 'Unreachable' && CERTIFICATE.test(error.message);
  const cure = distrusted ? DISTRUST : (advice[error.reason] ?? USUAL[error.reason]);
  return cure === undefined ? error.message : `${error.message.trim()}; ${cure}`;
}
