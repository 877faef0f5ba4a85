#!/usr/bin/env bash
# Installs the npm packages of package-lock.json. Node 24 is one of them: it comes to node_modules/.bin, without any
# install script, and is what runs everything else. The machine's own node only has to be able to run npm.
set -euo pipefail
cd "$(dirname "$0")/../.."
source hack/setup/timed.sh

install_npm() {
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "There is no npm on this machine. Install it (on Debian: sudo apt-get install --no-install-recommends npm)," >&2
    echo "then run this command again. Its version hardly matters: Node 24 comes with the packages." >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  timed 'fetching the list of Debian packages' apt-get update
  timed 'installing Debian package npm' apt-get install -y --no-install-recommends npm
}

command -v npm >/dev/null || install_npm
timed 'installing the npm packages' npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
# npm 9 does not link this one.
for node in node_modules/node-linux-*/bin/node; do
  [ -e node_modules/.bin/node ] || ln -s "../../$node" node_modules/.bin/node
done
if ! node_modules/.bin/node --version >/dev/null 2>&1; then
  echo "No Node 24 came with the packages: there is one for Linux on x64 and arm64, this is $(uname -sm)." >&2
  exit 1
fi
# What make compares with package-lock.json.
touch node_modules/.package-lock.json
