# Shared by the scripts; sourced, with `root` set to the repository. POSIX sh.
# Installs what is missing (Debian packages, npm packages), and builds. Does nothing, in well under a second, when all is there.

say() {
  printf '== %s\n' "$*"
}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_debian PACKAGE...: installs those that are missing.
install_debian() {
  have dpkg-query && have apt-get || {
    say "This is no Debian: install the counterparts of $* yourself if the build misses them"
    return 0
  }
  missing=
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" != 0 ]; then
    have sudo || die "these Debian packages are missing:$missing
Install them as root (apt-get install$missing), or install sudo."
    as_root=sudo
  fi
  say "Installing Debian packages:$missing"
  # Lists that are hours old may name versions that are gone by now; fetching them anew is cheap beside the packages.
  $as_root apt-get update -q
  # shellcheck disable=SC2086 # a list of words
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

check_node() {
  have node || die 'Node.js is not installed (or not in PATH); version 20 or newer is needed'
  have npm || die 'npm is not installed (or not in PATH); it comes with Node.js, on Debian in a package of its own'
  node -e 'process.exit(parseInt(process.versions.node, 10) >= 20 ? 0 : 1)' ||
    die "Node.js 20 or newer is needed, this is $(node --version)"
}

# npm packages, as locked, without their install scripts: all of them bring binaries that are built already.
install_npm() {
  stamp="$root/node_modules/.napi-remote-stamp"
  wanted=$(cat "$root/package.json" "$root/package-lock.json" | cksum)
  if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    say 'Installing npm packages'
    (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund)
    printf '%s\n' "$wanted" >"$stamp"
  fi
  # So that `-r napi-remote/register` means this checkout, as it would mean the installed package elsewhere.
  [ -e "$root/node_modules/napi-remote" ] || ln -s .. "$root/node_modules/napi-remote"
}

install_all() {
  check_node
  maker=
  have ninja || have make || maker=ninja-build
  # shellcheck disable=SC2086 # one word or none
  install_debian gcc g++ cmake $maker libuv1-dev libprotobuf-c-dev protobuf-c-compiler libdw-dev libcriterion-dev
  install_npm
}

# build PRESET [TARGET...]: quiet when it succeeds.
build() {
  preset=$1
  shift
  folder="$root/build/$preset"
  if [ ! -f "$folder/CMakeCache.txt" ] && [ -z "${CMAKE_GENERATOR:-}" ] && have ninja; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
  fi
  say "Building ($preset)"
  mkdir -p "$folder"
  if [ ! -f "$folder/build.ninja" ] && [ ! -f "$folder/Makefile" ]; then
    (cd "$root" && cmake --preset "$preset") >"$folder/configure.log" 2>&1 || {
      cat "$folder/configure.log" >&2
      die "cmake could not configure $folder"
    }
  fi
  for target in "$@"; do
    shift
    set -- "$@" --target "$target"
  done
  (cd "$root" && cmake --build "$folder" --parallel "$(getconf _NPROCESSORS_ONLN)" "$@") >"$folder/build.log" 2>&1 || {
    cat "$folder/build.log" >&2
    die "the build in $folder failed"
  }
}
