#!/usr/bin/env bash
# A Go that can build the control plane: 1.21 or newer, since that fetches the version it needs by itself. Not needed where
# the control plane comes from elsewhere. As root on Debian, installs it; else says what to do. Never a reason to stop.
set -euo pipefail
cd "$(dirname "$0")/../.."
source hack/setup/timed.sh

go_is_new_enough() {
  local version
  version=$(go env GOVERSION 2>/dev/null) || return 1
  [[ $version =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 21 ]
}

advise() {
  echo "There is no Go 1.21 or newer to build the control plane with: $1"
  echo "  Install one (https://go.dev/dl), or set KUBEBUILDER_ASSETS or USHER_TEST_KUBECONFIG; else the tests that need a"
  echo "  control plane are skipped, and there is no demo."
  exit 0
}

candidate() { # of golang-go, as 1.MINOR, with the given apt options
  apt-cache "$@" policy golang-go | sed -nE 's/^ *Candidate: ([0-9]+:)?1\.([0-9]+).*/\2/p'
}

# Debian 12 has 1.19, and its backports what we need. They are read from a list of our own: the machine's stay as they are.
install_from_backports() {
  local release=$1 lists options
  lists=$(mktemp -d)
  chmod 755 "$lists"
  mkdir -p "$lists/sources" "$lists/state/partial"
  cp -r /etc/apt/sources.list.d/. "$lists/sources/"
  echo "deb http://deb.debian.org/debian $release-backports main" >"$lists/sources/backports.list"
  options=(-o "Dir::Etc::sourceparts=$lists/sources" -o "Dir::State::lists=$lists/state"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  timed "fetching the list of $release-backports" apt-get "${options[@]}" update &&
    timed 'installing Debian package golang-go' \
      apt-get "${options[@]}" install -y --no-install-recommends -t "$release-backports" golang-go
  local status=$?
  rm -rf "$lists"
  return "$status"
}

if [ -n "${KUBEBUILDER_ASSETS:-}${USHER_TEST_KUBECONFIG:-}" ] || go_is_new_enough; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then advise 'only root can install it.'; fi
export DEBIAN_FRONTEND=noninteractive
timed 'fetching the list of Debian packages' apt-get update || advise 'Debian packages cannot be fetched.'
if [ "$(candidate)" -ge 21 ]; then
  timed 'installing Debian package golang-go' apt-get install -y --no-install-recommends golang-go || true
else
  install_from_backports "$(. /etc/os-release && echo "$VERSION_CODENAME")" || true
fi
go_is_new_enough || advise 'installing it from Debian did not help.'
