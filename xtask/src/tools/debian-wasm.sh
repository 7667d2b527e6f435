#!/usr/bin/env bash
# Makes Debian's own rustc build for wasm32-unknown-unknown: installs rustc, cargo, the source of
# the standard library and lld, builds that library once into rustc's sysroot, and links the result
# into rustup, if there is one, as toolchain $1. Run by xtask as root; says what it does on stderr.
# A stamp with rustc's commit hash tells whether the library that is there is current.
set -euo pipefail

TOOLCHAIN=$1
TARGET=wasm32-unknown-unknown
export DEBIAN_FRONTEND=noninteractive

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '[xtask] %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

apt_get() {
  apt-get -qq -o DPkg::Lock::Timeout=600 "$@" >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; return 1; }
}
install_packages() { apt_get install -y --no-install-recommends "$@"; }
candidate() { { LC_ALL=C apt-cache policy "$1" 2>/dev/null || true; } | awk '/Candidate:/ && $2 != "(none)" { print $2 }'; }
installed() { { dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null || true; } | awk '$1 == "installed" { print $2 }'; }

# The newest of Debian's compilers: rustc-web is kept up to date for building browsers.
if [ -z "$(installed rustc-web)" ] && [ -z "$(installed rustc)" ]; then apt_get update; fi
version= package=
for name in rustc-web rustc; do
  v=$(installed "$name")
  [ -n "$v" ] || v=$(candidate "$name")
  [ -n "$v" ] || continue
  if [ -z "$version" ] || dpkg --compare-versions "$v" gt "$version"; then version=$v package=$name; fi
done
case $package in
  rustc-web) packages=(rustc-web cargo-web rust-web-src) ;;
  rustc) packages=(rustc cargo rust-src) ;;
  *) die "Debian's packages here have no rustc" ;;
esac
missing=()
for name in "${packages[@]}"; do
  [ "$(installed "$name")" = "$version" ] || missing+=("$name=$version")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "apt-get install ${missing[*]}"
  install_packages "${missing[@]}" || { apt_get update && install_packages "${packages[@]}"; } \
    || die "apt-get could not install ${packages[*]}"
fi

rustc=/usr/bin/rustc
verbose=$("$rustc" -vV)
host=$(awk '/^host:/ { print $2 }' <<<"$verbose")
hash=$(awk '/^commit-hash:/ { print $2 }' <<<"$verbose")
llvm=$(awk '/^LLVM version:/ { split($3, part, "."); print part[1] }' <<<"$verbose")
sysroot=$("$rustc" --print sysroot)
rustlib=$sysroot/lib/rustlib
[ -e "$rustlib/src/rust/library/Cargo.lock" ] || die "no source of the standard library under $rustlib/src"

# rustc looks for its linker in the sysroot.
if [ ! -x "$rustlib/$host/bin/rust-lld" ]; then
  lld=/usr/lib/llvm-$llvm/bin/lld
  if [ ! -x "$lld" ]; then
    install_packages "lld-$llvm" || { apt_get update && install_packages "lld-$llvm"; } || true
  fi
  if [ ! -x "$lld" ] && command -v rustup >/dev/null; then # rustup's own links wasm as well
    lld=$(rustup run stable rustc --print sysroot 2>/dev/null || true)/lib/rustlib/$host/bin/rust-lld
  fi
  [ -x "$lld" ] || die "no lld for LLVM $llvm"
  mkdir -p "$rustlib/$host/bin"
  ln -sfn "$lld" "$rustlib/$host/bin/rust-lld"
fi

destination=$rustlib/$TARGET
stamp="$hash $(installed "$package") 1"
if [ "$(cat "$destination/.stamp" 2>/dev/null || true)" != "$stamp" ]; then
  say "building Rust's standard library for $TARGET (about a minute)"
  mkdir -p "$work/std/src"
  : >"$work/std/src/lib.rs"
  cat >"$work/std/Cargo.toml" <<'TOML'
[package]
name = "stdbuild_dummy"
version = "0.0.0"
edition = "2021"
[workspace]
[profile.release]
opt-level = 3
codegen-units = 1
debug = 0
TOML
  # As the official library: both panic crates, bitcode for link-time optimization, source paths
  # under /rustc/HASH.
  (
    cd "$work/std"
    env -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET -u RUSTC_WRAPPER PATH="/usr/bin:$PATH" \
      RUSTC_BOOTSTRAP=1 RUSTC=$rustc RUSTDOC=/usr/bin/rustdoc CARGO_INCREMENTAL=0 \
      RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$rustlib/src/rust=/rustc/$hash" \
      CARGO_TARGET_DIR="$work/target" /usr/bin/cargo build -q --release --target "$TARGET" \
      -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test
  ) >"$work/std.log" 2>&1 || { tail -20 "$work/std.log" >&2; die "the standard library did not build"; }
  new=$rustlib/.$TARGET.new
  rm -rf "$new"
  mkdir -p "$new/lib"
  for file in "$work/target/$TARGET/release/deps/"*.rlib; do
    case ${file##*/} in
      libstdbuild_dummy-*) ;;
      *) install -m 644 "$file" "$new/lib/" ;;
    esac
  done
  for crate in core alloc std compiler_builtins panic_abort panic_unwind test proc_macro; do
    compgen -G "$new/lib/lib$crate-*.rlib" >/dev/null || die "the standard library built without $crate"
  done
  printf '%s\n' "$stamp" >"$new/.stamp"
  rm -rf "$destination"
  mv "$new" "$destination"
fi

if command -v rustup >/dev/null; then rustup toolchain link "$TOOLCHAIN" "$sysroot" >&2; fi
