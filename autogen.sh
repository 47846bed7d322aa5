#!/bin/sh
# Makes ./configure out of configure.ac and the Makefile fragments.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force "$@"
