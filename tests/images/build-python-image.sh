#!/usr/bin/env bash
# Stand-in for python:slim where no registry can be reached: Debian's Python, from
# Debian's packages, as the image given here or emulator-test/python.
set -euo pipefail
image=${1:-emulator-test/python}

if docker image inspect "$image" >/dev/null 2>&1; then exit; fi
command -v debootstrap >/dev/null || {
  echo "debootstrap is needed: apt-get install debootstrap" >&2
  exit 1
}
root=$(mktemp --directory)
trap 'rm --recursive --force "$root"' EXIT
debootstrap --variant=minbase \
  --include=ca-certificates,python3,python3-venv,python-is-python3 \
  "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" >"$root.log" 2>&1 || {
  tail --lines 20 "$root.log" >&2
  exit 1
}
rm --recursive --force "$root".log "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* \
  "$root"/usr/share/{doc,locale,man}/*
# What this machine trusts and how its pip is set up hold for builds on it, too.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$root/etc/"; fi
tar --create --directory "$root" . | docker import --change 'CMD ["python3"]' - "$image" \
  >/dev/null
