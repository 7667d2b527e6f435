#!/bin/sh
# Starts the reference: run.sh sockjs|tcp VERSION. It prints its ports. Needs Maven and a JDK 17.
set -eu
cd "$(dirname "$0")"
case "$1" in
  sockjs) bridge=vertx-web; main=SockJsReference ;;
  tcp) bridge=vertx-tcp-eventbus-bridge; main=TcpReference ;;
esac
out="${TMPDIR:-/tmp}/trolleybus-reference-$1-$2"
mkdir -p "$out"
mvn -q dependency:build-classpath "-Dvertx.version=$2" "-Dbridge=$bridge" "-Dmdep.outputFile=$out/classpath"
javac -cp "$(cat "$out/classpath")" -d "$out" Services.java "$main.java"
exec java -cp "$out:$(cat "$out/classpath")" "$main"
