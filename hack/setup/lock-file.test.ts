import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { REPOSITORY } from '../repository.ts';

interface LockedPackage {
  readonly integrity?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const ROOT_PACKAGE = '';

describe('package-lock.json', () => {
  const text = readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };

  it('holds the packages of other platforms too, without which npm ci refuses it', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).to.deep.equal([]);
  });

  // Those of other platforms have none where the registry that the file was made from does not carry them.
  it('has the checksum of every package that is ever installed, on x64 and on arm64', () => {
    const unchecked = Object.entries(packages).filter(
      ([path, locked]) => path !== ROOT_PACKAGE && runsHere(locked) && locked.integrity === undefined,
    );
    expect(unchecked.map(([path]) => path)).to.deep.equal([]);
  });
});

/** On the platforms that Node 24 comes for with the packages: Linux with glibc, on x64 and arm64. */
function runsHere({ os = ['linux'], cpu = ['x64'], libc = ['glibc'] }: LockedPackage): boolean {
  return os.includes('linux') && libc.includes('glibc') && (cpu.includes('x64') || cpu.includes('arm64'));
}
