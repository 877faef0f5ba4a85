// Who we are to the API server: always the current answer, for tokens expire and certificates are renewed.
import type { User } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { FileAuth } from '@kubernetes/client-node/dist/file_auth.js';
import type { Clock } from '#runtime/clock/clock.ts';
import { KubeError } from '../errors.ts';
import { pem } from './kubeconfig.ts';

export interface Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert?: string;
  readonly key?: string;
}

const CERTIFICATE_AGE_MS = 60_000;

interface Applied {
  headers: Record<string, string>;
  cert?: string | Buffer;
  key?: string | Buffer;
}

/** Where a user has several, exec plugins and token files come before what stands in the file itself. */
export class Credentials {
  readonly #user: User;
  #exec = new ExecAuth();
  #file = new FileAuth();
  /** A plugin may take seconds: calls that begin meanwhile wait for the same run. */
  #pending: Promise<Identity> | undefined;
  readonly #clock: Clock;
  #certificate: { readonly cert?: Buffer; readonly key?: Buffer; readonly readAt: number } | undefined;

  /** Throws an Error for a way to authenticate that is not supported. */
  constructor(user: User, clock: Clock) {
    if (user.authProvider && !this.#exec.isAuthProvider(user) && !this.#file.isAuthProvider(user)) {
      throw new Error(
        `user "${user.name}" uses the auth provider ${user.authProvider.name}, which is not supported: use an exec plugin`,
      );
    }
    this.#user = user;
    this.#clock = clock;
  }

  /** Runs a plugin, or reads a token file, when what it gave before is too old. Rejects with Unauthorized. */
  current(): Promise<Identity> {
    this.#pending ??= this.#find().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Forgets what was cached: the API server did not accept it. */
  renew(): void {
    this.#exec = new ExecAuth();
    this.#file = new FileAuth();
    this.#certificate = undefined;
  }

  async #find(): Promise<Identity> {
    const user = this.#user;
    const applied: Applied = { headers: headersOf(user) };
    try {
      const { cert, key } = this.#currentCertificate();
      Object.assign(applied, { ...(cert && { cert }), ...(key && { key }) });
      if (this.#exec.isAuthProvider(user)) {
        await this.#exec.applyAuthentication(user, applied);
      } else if (this.#file.isAuthProvider(user)) {
        await this.#file.applyAuthentication(user, applied);
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KubeError('Unauthorized', `no credentials for user "${user.name}": ${why}`, { cause });
    }
    return identityOf(applied);
  }

  /** Not read for every call, but often enough for one that is renewed before it expires. */
  #currentCertificate(): { cert?: Buffer; key?: Buffer } {
    const { certData, certFile, keyData, keyFile } = this.#user;
    const now = this.#clock.monotonic();
    if (this.#certificate === undefined || now - this.#certificate.readAt > CERTIFICATE_AGE_MS) {
      const [cert, key] = [pem(certData, certFile), pem(keyData, keyFile)];
      this.#certificate = { ...(cert && { cert }), ...(key && { key }), readAt: now };
    }
    return this.#certificate;
  }
}

function headersOf({ token, username, password, impersonateUser }: User): Record<string, string> {
  const basic = username ? `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` : undefined;
  const authorization = token ? `Bearer ${token}` : basic;
  return {
    ...(authorization !== undefined && { Authorization: authorization }),
    ...(impersonateUser && { 'Impersonate-User': impersonateUser }),
  };
}

/** Token files end with a line feed, which no header may hold. */
function identityOf({ headers, cert, key }: Applied): Identity {
  return {
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()])),
    ...(cert && { cert: String(cert) }),
    ...(key && { key: String(key) }),
  };
}
