#!/bin/sh
# Makes ./configure out of configure.ac and the Makefile fragments.
set -e
cd "$(dirname "$0")"
for tool in autoconf automake pkg-config; do
    command -v $tool >/dev/null && continue
    echo "$0: $tool is missing: install it (on Debian, apt-get install $tool)" >&2
    exit 1
done
exec autoreconf --install --force "$@"
