import { writeFile } from 'node:fs/promises';

export interface KubeconfigContent {
  readonly url: string;
  readonly caFile: string;
  readonly user: string;
  readonly token: string;
}

/** Writes a kubeconfig with one context, readable by its owner alone: it holds a credential. */
export async function writeKubeconfig(file: string, content: KubeconfigContent): Promise<void> {
  const { url, caFile, user, token } = content;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'usher',
    clusters: [{ name: 'usher', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'usher', context: { cluster: 'usher', user } }],
  };
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}
