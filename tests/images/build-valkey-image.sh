#!/bin/sh
# Make the image that the Docker tests run, out of Debian packages: for machines that
# reach a Debian mirror and no image registry.
#
#   tests/images/build-valkey-image.sh [--force] [SUITE [TAG]]
#
# SUITE is the Debian release whose valkey is taken (trixie). TAG is the name that the
# image gets (valkey/valkey:8-alpine); an image that has it already is kept, unless
# --force is given. DEBIAN_MIRROR replaces the mirror that this machine's apt uses.
#
# To its users the image is like the official one: options or a .conf file are for the
# server, any other command runs as it is; root becomes user 999, group 1000; data is
# in /data; valkey-cli is there. The host's package database is neither read nor
# changed.
set -eu

force=no
if [ "${1-}" = --force ]; then
    force=yes
    shift
fi
suite=${1:-trixie}
tag=${2:-valkey/valkey:8-alpine}
triple=x86_64-linux-gnu
loader=ld-linux-x86-64.so.2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
    echo "build-valkey-image: $*" >&2
    exit 1
}

check_tools() {
    for tool in apt-get dpkg-deb tar docker; do
        command -v "$tool" > /dev/null || die "needs $tool, which is not installed"
    done
    docker version > /dev/null 2>&1 || die 'no Docker daemon answers'
    [ "$(uname -m)" = x86_64 ] || die "knows x86_64 only, and this is $(uname -m)"
    [ -r "$keyring" ] || die "needs $keyring (package debian-archive-keyring)"
}

# An apt with sources and lists of its own, to which no package is installed.
private_apt() {
    apt-get -qq \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$work/cache" -o APT::Default-Release="$suite" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

read_package_lists() {
    # shellcheck disable=SC2016  # apt expands it
    mirror=${DEBIAN_MIRROR:-$(
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
            grep -v security | head -n 1
    )}
    [ -n "$mirror" ] || die 'no mirror known: run apt-get update, or set DEBIAN_MIRROR'
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    # backports build upon the release that they are for
    for name in $(echo "$suite" | sed -n 's/-backports$//p') "$suite"; do
        echo "deb [signed-by=$keyring] $mirror $name main"
    done > "$work/sources.list"
    private_apt update
}

# Unpack packages, and the packages of their shared libraries, and of those theirs …
unpack() {
    mkdir -p "$work/debs" "$work/all"
    cd "$work/debs"
    known=' '
    while [ $# -gt 0 ]; do
        private_apt download "$@"
        known="$known$* "
        set --
        for deb in *.deb; do
            dpkg-deb -x "$deb" "$work/all"
            for library in $(libraries_needed_by "$deb"); do
                case "$known$* " in
                    *" $library "*) ;;
                    *) set -- "$@" "$library" ;;
                esac
            done
            rm "$deb"
        done
    done
}

# Of alternatives the first, without its version; nothing but libraries.
libraries_needed_by() {
    dpkg-deb -f "$1" Depends Pre-Depends | sed 's/^[A-Za-z-]*: *//' | tr ',' '\n' |
        sed 's/^ *//; s/[ |:(].*//' | grep -E '^(lib|zlib)' || true
}

# Debian's older releases have files outside /usr; afterwards there are only links.
merge_usr() {
    cd "$work/all"
    for dir in bin sbin lib lib64; do
        mkdir -p "usr/$dir"
        if [ -d "$dir" ] && [ ! -L "$dir" ]; then
            cp -a "$dir/." "usr/$dir/"
            rm -rf "$dir"
        fi
        ln -sfn "usr/$dir" "$dir"
    done
}

# Run something from the unpacked packages with their own loader and libraries.
with_own_libraries() {
    "$work/all/usr/lib/$triple/$loader" \
        --library-path "$work/all/usr/lib/$triple:$work/all/usr/lib/$triple/systemd" "$@"
}

# Copy the programs, and of the libraries those that the loader names for them.
copy_programs() {
    mkdir -p "$root/usr/bin" "$root/usr/lib/$triple" "$root/usr/lib64"
    for dir in bin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
    for program in valkey-server valkey-cli valkey-benchmark; do
        cp -L "$work/all/usr/bin/$program" "$root/usr/bin/"
        with_own_libraries --list "$work/all/usr/bin/$program"
    done | sed -n 's/.* => \([^ ]*\).*/\1/p' | sort -u > "$work/libraries"
    while read -r library; do
        case $library in
            */"$loader") ;;
            "$work"/*) cp -L "$library" "$root/usr/lib/$triple/" ;;
            *) die "$library is the host's own, and missing among the packages" ;;
        esac
    done < "$work/libraries"
    cp -L "$work/all/usr/lib/$triple/$loader" "$root/usr/lib64/"
    for tool in rdb aof; do ln -s valkey-server "$root/usr/bin/valkey-check-$tool"; done
    for tool in server cli; do ln -s "valkey-$tool" "$root/usr/bin/redis-$tool"; done
}

copy_shell() {
    busybox=$(find "$work/all/usr/bin" "$work/all/usr/sbin" -type f -name busybox)
    cp "$busybox" "$root/usr/bin/busybox"
    for applet in $("$busybox" --list); do
        [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
    done
}

write_system_files() {
    mkdir -p "$root/etc" "$root/data" "$root/tmp" "$root/run" "$root/proc" "$root/sys" \
        "$root/dev" "$root/usr/local/bin"
    chmod 1777 "$root/tmp" "$root/data"
    cat > "$root/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/bin/sh
valkey:x:999:1000::/data:/sbin/nologin
PASSWD
    cat > "$root/etc/group" <<'GROUP'
root:x:0:
valkey:x:1000:
GROUP
    echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
    cat > "$root/usr/local/bin/docker-entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
set -eu
umask 0077
case ${1-} in
    -* | *.conf) set -- valkey-server "$@" ;;
esac
if [ "${1-}" != valkey-server ]; then
    exec "$@"
fi
shift
# The official image is built without protected mode. Options follow the file.
case ${1-} in
    -h | -v | --help | --version) ;;
    *.conf)
        file=$1
        shift
        set -- "$file" --protected-mode no "$@"
        ;;
    *) set -- --protected-mode no "$@" ;;
esac
# VALKEY_EXTRA_FLAGS is several words on purpose
if [ "$(id -u)" != 0 ]; then
    exec valkey-server "$@" ${VALKEY_EXTRA_FLAGS-}
fi
chown -R valkey:valkey .
exec start-stop-daemon -S -q -c valkey:valkey -x /usr/bin/valkey-server -- \
    "$@" ${VALKEY_EXTRA_FLAGS-}
ENTRYPOINT
    chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"
}

import_image() {
    # what runs here runs from the image: it finds nothing that is not in there
    version=$("$root/usr/lib64/$loader" --library-path "$root/usr/lib/$triple" \
        "$root/usr/bin/valkey-server" --version) || die 'a library is missing'
    version=${version#*v=}
    version=${version%% *}
    tar -C "$root" --owner=0 --group=0 -c . | docker import \
        --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
        --change 'CMD ["valkey-server"]' \
        --change 'WORKDIR /data' \
        --change 'VOLUME /data' \
        --change 'EXPOSE 6379' \
        --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
        --change "ENV VALKEY_VERSION=$version" \
        - "$tag" > /dev/null
    echo "$tag is valkey $version of Debian $suite"
}

check_tools
if [ "$force" = no ] && docker image inspect "$tag" > /dev/null 2>&1; then
    echo "$tag is there already; --force makes it anew"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
read_package_lists
unpack valkey-server valkey-tools busybox-static
merge_usr
copy_programs
copy_shell
write_system_files
import_image
