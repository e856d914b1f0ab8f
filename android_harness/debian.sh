#!/bin/sh
# Debian's parts of the harness: installs what is missing where it may, else says what to install and exits with 2.
set -u

missing=
need() { # package, then a command that works once it is there
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
jdk_17() { # the compiler, and the Java that Maven runs on
    [ "$("${JAVA_HOME:+$JAVA_HOME/bin/}javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')" -ge 17 ] || return 1
    ! command -v mvn || [ "$(mvn -B -v | sed -n 's/^Java version: \([0-9]*\).*/\1/p')" -ge 17 ]
}
look() {
    missing=
    need default-jdk-headless jdk_17
    need maven command -v mvn
    need apksigner command -v apksigner
    need dexdump command -v dexdump
    need adb command -v adb
}

[ "$(uname -sm)" = "Linux x86_64" ] || { echo "error: the harness builds on Linux x86-64, not $(uname -sm)" >&2; exit 2; }
look
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >&2
    look
fi
[ -z "$missing" ] && exit 0
echo "error: the harness needs$missing (JDK 17 or newer; JAVA_HOME=${JAVA_HOME:-}); on Debian: sudo apt-get install$missing" >&2
exit 2
