// How an administrator installs what the programs need, for messages that say that it is missing.

export const INSTALL_API = 'install the API with kubectl apply --server-side -f crds/manifests';
export const INSTALL_RIGHTS = 'install namespace and rights with kubectl apply --server-side -f rights/rbac';
export const INSTALL_OR_USE_RIGHTS =
  'use the kubeconfig that was made for this program, or install its rights with kubectl apply --server-side -f rights/rbac';
