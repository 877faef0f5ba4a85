// The control plane's programs: those of KUBEBUILDER_ASSETS where that is set, else built once and kept in a cache.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';
import { announce } from '../progress.ts';
import { withFileLock } from './file-lock.ts';
import { buildGoCommand, type GoBuild } from './go-build.ts';

export interface ControlPlaneBinaries {
  readonly etcd: string;
  readonly kubeApiserver: string;
  /** Absent where KUBEBUILDER_ASSETS holds none. */
  readonly kubeControllerManager: string | undefined;
  readonly kubectl: string | undefined;
}

/** There is no control plane to be had on this machine as it is; the message says what to do. */
export class ControlPlaneUnavailable extends Error {
  override readonly name = 'ControlPlaneUnavailable';
}

const CACHE = cacheDirectory('control-plane');
const MODULES = join(import.meta.dirname, 'modules');
const TOOLS = [
  { binary: 'etcd', module: 'etcd', importPath: 'go.etcd.io/etcd/server/v3' },
  { binary: 'kube-apiserver', module: 'kubernetes', importPath: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  {
    binary: 'kube-controller-manager',
    module: 'kubernetes',
    importPath: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  },
  { binary: 'kubectl', module: 'kubernetes', importPath: 'k8s.io/kubernetes/cmd/kubectl' },
] as const;

/**
 * Finds the programs, building them first where they are not in the cache (about ten minutes on two cores, said and
 * shown on stderr). Safe to call in several processes at once. Throws `ControlPlaneUnavailable` where Go is missing.
 */
export async function controlPlaneBinaries(): Promise<ControlPlaneBinaries> {
  const given = process.env['KUBEBUILDER_ASSETS'];
  if (given !== undefined && given !== '') return givenBinaries(given);
  const directory = join(CACHE, cacheKey());
  if (!existsSync(directory)) await buildInto(directory);
  return binariesIn(directory);
}

function givenBinaries(directory: string): ControlPlaneBinaries {
  for (const name of ['etcd', 'kube-apiserver']) {
    if (existsSync(join(directory, name))) continue;
    throw new Error(`KUBEBUILDER_ASSETS=${directory} holds no ${name}: correct it, or unset it to build our own`);
  }
  return binariesIn(directory);
}

function binariesIn(directory: string): ControlPlaneBinaries {
  const optional = (name: string): string | undefined => {
    const path = join(directory, name);
    return existsSync(path) ? path : undefined;
  };
  return {
    etcd: join(directory, 'etcd'),
    kubeApiserver: join(directory, 'kube-apiserver'),
    kubeControllerManager: optional('kube-controller-manager'),
    kubectl: optional('kubectl'),
  };
}

/** Changes with everything that goes into a build: versions, sums, flags, tools, processor. */
function cacheKey(): string {
  const hash = createHash('sha256').update(process.arch);
  for (const tool of TOOLS) hash.update(JSON.stringify([tool, linkerFlags(tool.module)]));
  for (const module of ['etcd', 'kubernetes']) {
    for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULES, module, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function buildInto(directory: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const waiting = '  another process is building the control plane: waiting for it';
  await withFileLock(join(CACHE, 'build.lock'), waiting, async () => {
    if (existsSync(directory)) return;
    await requireGo();
    announce(`No control plane in ${directory}: building it from source, once (about ten minutes on two cores).`);
    await buildAndRename(directory);
  });
}

/** The directory appears under its final name only when it is complete. */
async function buildAndRename(directory: string): Promise<void> {
  await removeUnfinished();
  const unfinished = await mkdtemp(`${directory}.building-`);
  try {
    for (const tool of TOOLS) await buildGoCommand(goBuild(tool, unfinished));
    await rename(unfinished, directory);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What builds left that were killed; nobody else builds while we hold the lock. */
async function removeUnfinished(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    if (name.includes('.building-')) await rm(join(CACHE, name), { recursive: true, force: true });
  }
}

function goBuild(tool: (typeof TOOLS)[number], directory: string): GoBuild {
  return {
    name: `${tool.binary} ${moduleVersion(tool.module)}`,
    moduleDirectory: join(MODULES, tool.module),
    importPath: tool.importPath,
    linkerFlags: linkerFlags(tool.module),
    output: join(directory, tool.binary),
  };
}

/** Without its version stamped in, a Kubernetes server calls itself v0.0.0 and clients misjudge it. */
function linkerFlags(module: 'etcd' | 'kubernetes'): string {
  if (module === 'etcd') return '-s -w';
  const stamped = ['k8s.io/component-base/version.gitVersion', 'k8s.io/client-go/pkg/version.gitVersion'];
  return ['-s -w', ...stamped.map((variable) => `-X ${variable}=${moduleVersion(module)}`)].join(' ');
}

function moduleVersion(module: 'etcd' | 'kubernetes'): string {
  const path = module === 'etcd' ? 'go.etcd.io/etcd/server/v3' : 'k8s.io/kubernetes';
  const text = readFileSync(join(MODULES, module, 'go.mod'), 'utf8');
  const line = text.split('\n').find((candidate) => candidate.includes(`${path} v`));
  if (line === undefined) throw new Error(`hack/control-plane/modules/${module}/go.mod requires no ${path}`);
  return line.slice(line.indexOf(`${path} v`) + path.length + 1).split(' ')[0] ?? '';
}

async function requireGo(): Promise<void> {
  const version = await promisify(execFile)('go', ['env', 'GOVERSION']).catch(() => undefined);
  const minor = /go1\.(\d+)/.exec(version?.stdout ?? '')?.[1];
  if (minor !== undefined && Number(minor) >= 21) return;
  throw new ControlPlaneUnavailable(
    `no kube-apiserver: ${minor === undefined ? 'there is no Go to build it with' : `Go 1.${minor} is too old to build it`}. ` +
      'Install Go 1.21 or newer (it fetches the version it needs), or set KUBEBUILDER_ASSETS to a folder that holds ' +
      'etcd and kube-apiserver, or USHER_TEST_KUBECONFIG to the kubeconfig of a cluster for tests',
  );
}
