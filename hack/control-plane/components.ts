// How each program of the control plane is started. Paths are relative to the instance's folder, the working directory:
// etcd listens on a unix socket there, whose whole path would be limited to 108 bytes.

import { join } from 'node:path';
import type { ProcessSpecification } from '../process.ts';

export interface ComponentContext {
  readonly directory: string;
  readonly lifetime: ProcessSpecification['lifetime'];
}

/** Reached through a socket in a folder that only its owner may enter. Data survives a crash of etcd, not of the machine. */
export function etcd(command: string, context: ComponentContext): ProcessSpecification {
  return component('etcd', command, context, {
    'data-dir': 'etcd',
    'listen-client-urls': 'unix://etcd.sock',
    'advertise-client-urls': 'unix://etcd.sock',
    'listen-peer-urls': 'unix://etcd-peer.sock',
    'initial-advertise-peer-urls': 'unix://etcd-peer.sock',
    'initial-cluster': 'default=unix://etcd-peer.sock',
    'unsafe-no-fsync': 'true',
  });
}

export function kubeApiserver(
  command: string,
  context: ComponentContext,
  options: { port: number; audit: boolean },
): ProcessSpecification {
  return component('kube-apiserver', command, context, {
    'etcd-servers': 'unix://etcd.sock',
    // It writes a certificate of its own there, with the authority that signed it, and finds both again after a restart.
    'cert-dir': 'certificates',
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': String(options.port),
    // The endpoint of the service `kubernetes` may not be a loopback address, and nobody uses it here.
    'endpoint-reconciler-type': 'none',
    'token-auth-file': 'tokens.csv',
    'authorization-mode': 'Node,RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': 'service-account.pub',
    'service-account-signing-key-file': 'service-account.key',
    'service-cluster-ip-range': '10.96.0.0/16',
    'allow-privileged': 'true',
    ...(options.audit ? { 'audit-policy-file': 'audit-policy.json', 'audit-log-path': 'audit.log' } : {}),
  });
}

export function kubeControllerManager(command: string, context: ComponentContext): ProcessSpecification {
  return component('kube-controller-manager', command, context, {
    kubeconfig: 'controller-manager.kubeconfig',
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': 'service-account.key',
    'root-ca-file': 'ca.crt',
    'leader-elect': 'false',
    // Its own rate limit makes the start twice as long: each controller asks for a token first.
    'kube-api-qps': '1000',
    'kube-api-burst': '1000',
    'secure-port': '0',
  });
}

function component(
  name: string,
  command: string,
  context: ComponentContext,
  flags: Record<string, string>,
): ProcessSpecification {
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const logFile = join(context.directory, `${name}.log`);
  // All state is in etcd. The API server, asked politely, would wait a minute for its watchers to leave.
  const graceMilliseconds = name === 'etcd' ? 5_000 : 0;
  return { name, command, args, ...context, logFile, graceMilliseconds };
}
