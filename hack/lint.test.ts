// The linter's own test: a configuration that has stopped to forbid looks just like code without faults.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { REPOSITORY } from './repository.ts';

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

/** What each file of the tree may not import, by the rule of directions. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'crds/kind.ts': ['#runtime/clock.ts', '#operator/main.ts', '#node-daemon/main.ts', '#hack/a.ts', '#test/a.ts'],
  'crds/derive/phase.ts': ['#runtime/clock.ts', '#operator/main.ts', '#node-daemon/main.ts', 'node:fs', 'undici'],
  'runtime/queue.ts': ['#crds/names.ts', '#operator/main.ts', '#node-daemon/main.ts', '#hack/a.ts', '#test/a.ts'],
  'runtime/kube/memory/store.ts': ['../../clock.ts', '#crds/v1alpha1/names.ts'],
  'operator/main.ts': ['#node-daemon/main.ts', '#node-daemon/hypervisor/driver.ts', '#hack/a.ts', '#test/a.ts'],
  'operator/vm/plan.ts': [
    '#node-daemon/main.ts',
    '#runtime/kube/store.ts',
    '#runtime/clock/system.ts',
    'node:crypto',
    '@kubernetes/client-node',
    './observe.ts',
    './execute.ts',
    './reconcile.ts',
    './context.ts',
  ],
  'operator/vm/status.ts': ['./execute.ts', '#runtime/clock/system.ts'],
  'operator/virtual-machine/waiting-for-room.ts': ['./observe.ts'],
  'operator/vm/plan-placement.ts': ['#runtime/kube/store.ts', '#hack/a.ts', 'undici'],
  'operator/placement/score.ts': ['#runtime/kube/store.ts', '#node-daemon/main.ts', 'node:os'],
  'node-daemon/main.ts': ['#operator/main.ts', '#hack/a.ts', '#test/a.ts'],
  'node-daemon/domains/execute.ts': ['#operator/main.ts', '../hypervisor/libvirt/driver.ts'],
  'node-daemon/domains/plan.ts': [
    '#operator/main.ts',
    '#runtime/kube/store.ts',
    '#runtime/clock/system.ts',
    'node:fs',
    '../hypervisor/simulated/a.ts',
    './observe.ts',
    './execute.ts',
    './reconcile.ts',
    './context.ts',
  ],
  'node-daemon/domains/plan-start.ts': ['./execute.ts'],
  'node-daemon/domains/status.ts': ['./context.ts', '#runtime/controller/status-patch.ts'],
  'node-daemon/domains/memory.ts': ['./context.ts', '#runtime/clock/clock.ts'],
  'node-daemon/domains/pauses.ts': ['./context.ts', '#runtime/clock/backoff.ts'],
  'node-daemon/domains/pending-changes.ts': ['./observe.ts', 'node:fs'],
  'node-daemon/domains/termination.ts': ['./observe.ts', '#runtime/clock/clock.ts'],
  'node-daemon/usage/poll.ts': ['#node-daemon/hypervisor/simulated/driver.ts'],
  'node-daemon/hypervisor/driver.ts': ['./libvirt/driver.ts'],
  'node-daemon/hypervisor/libvirt/driver.ts': ['#operator/main.ts', '../simulated/driver.ts'],
  'node-daemon/hypervisor/libvirt/domain-xml/memory.ts': ['node:fs', '#runtime/kube/store.ts', '#operator/main.ts'],
  'hack/site/site.ts': ['#test/simulation/site.ts'],
};

/** What they may, so that a rule which forbids everything is seen too. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'crds/kind.ts': ['./names.ts', 'typebox'],
  'runtime/queue.ts': ['./clock.ts', 'node:timers', 'undici', '#runtime/clock.ts'],
  'operator/main.ts': ['#crds/v1alpha1/names.ts', '#runtime/kube/store.ts', './wiring.ts', 'node:fs'],
  'operator/vm/plan.ts': ['#crds/v1alpha1/names.ts', '../placement/score.ts', '#operator/placement/score.ts'],
  'operator/placement/ledger.ts': ['#runtime/kube/resource-version.ts'],
  'node-daemon/wiring.ts': ['./hypervisor/libvirt/driver.ts', '#crds/v1alpha1/names.ts', '#runtime/clock.ts'],
  'node-daemon/domains/plan.ts': ['#crds/v1alpha1/names.ts', '../hypervisor/driver.ts'],
  'node-daemon/domains/status.ts': ['node:util', './memory.ts'],
  'node-daemon/hypervisor/libvirt/rpc/socket.ts': ['node:net', '#node-daemon/hypervisor/errors.ts', '../a.ts'],
  'node-daemon/hypervisor/libvirt/domain-xml/memory.ts': ['./element.ts', '#crds/quantity.ts'],
  'node-daemon/domains/plan.test.ts': ['../hypervisor/simulated/driver.ts', '#test/builders/virtual-machine.ts'],
  'hack/site/site.ts': ['#operator/main.ts', '#node-daemon/main.ts', '#runtime/kube/store.ts'],
};

/** Code that each of these rules must refuse in a plain file of the operator. */
const FAULTS: Readonly<Record<string, string>> = {
  'no-process-env': 'export const home = process.env.HOME;',
  'no-explicit-any': 'export const loose: any = 1;',
  'no-non-null-assertion': 'export const first = (list: string[]): string => list[0]!;',
  'no-default-export': 'export default 1;',
  'no-console': 'console.log(1);',
  'no-floating-promises': 'async function work(): Promise<void> {}\nwork();\nexport {};',
  'switch-exhaustiveness-check':
    "export function f(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}",
  'max-lines': Array.from({ length: 301 }, (_, i) => `export const a${i} = ${i};`).join('\n'),
  'max-lines-per-function': `export function long(): void {\n${'  Math.random();\n'.repeat(40)}}`,
};

describe('the linter', () => {
  let tree: string;
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'usher-lint-'));
    for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
      cpSync(join(REPOSITORY, name), join(tree, name));
    symlinkSync(join(REPOSITORY, 'node_modules'), join(tree, 'node_modules'));
  });
  afterEach(() => rmSync(tree, { recursive: true }));

  function plant(file: string, text: string): void {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), `${text}\n`);
  }

  function diagnostics(): Diagnostic[] {
    const args = ['--type-aware', '--format', 'json'];
    const { stdout } = spawnSync(join(REPOSITORY, 'node_modules/.bin/oxlint'), args, { cwd: tree, encoding: 'utf8' });
    return (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
  }

  /** Plants each file with its imports, one a line, and returns those lines that the rule of directions refuses. */
  function refusedAmong(imports: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
    for (const [file, specifiers] of Object.entries(imports)) {
      plant(file, specifiers.map((specifier) => `export * from '${specifier}';`).join('\n'));
    }
    const refused: Record<string, string[]> = {};
    for (const { code, filename, labels } of diagnostics()) {
      const specifier = imports[filename]?.[(labels[0]?.span.line ?? 0) - 1];
      if (code.includes('no-restricted-imports') && specifier !== undefined) (refused[filename] ??= []).push(specifier);
    }
    return refused;
  }

  it('refuses every import against the direction', () => {
    expect(refusedAmong(FORBIDDEN)).to.deep.equal(FORBIDDEN);
  }).timeout(30_000);

  it('refuses no import that goes the right way', () => {
    expect(refusedAmong(ALLOWED)).to.deep.equal({});
  }).timeout(30_000);

  it('refuses the faults that the style names', () => {
    for (const [rule, text] of Object.entries(FAULTS)) plant(`operator/${rule}.ts`, text);
    const found = new Set(diagnostics().map(({ code, filename }) => `${filename} ${/\((.+)\)/.exec(code)?.[1]}`));
    for (const rule of Object.keys(FAULTS)) expect(found).to.include(`operator/${rule}.ts ${rule}`);
  }).timeout(30_000);
});
