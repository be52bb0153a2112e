#!/bin/sh
# Imports merlin-local/python-base:bookworm, a Python image with everything that
# app.py needs, made of Debian packages. It is for machines and CI that reach a
# Debian mirror but no image registry and no Python package index; elsewhere the
# Dockerfile's default base does the same job.
#
#   sudo ./base-image.sh           does nothing where the image exists
#   sudo ./base-image.sh --force   makes it again
#
# It needs root (debootstrap does), a Docker Engine, and either the docker CLI or
# curl. The mirror is the one in this machine's apt sources, the proxy that in its
# apt configuration.
set -eu

repository=merlin-local/python-base
tag=bookworm
suite=bookworm
# debugpy is for merlin-local up --debug; the rest serves.
packages=python3,python3-fastapi,python3-uvicorn,python3-sklearn,python3-prometheus-client,python3-debugpy
# Debian's scipy depends on the compiler that built parts of it, and through it on
# gcc and boost: 400 MB that nothing here runs. debugpy needs gdb only to attach to a
# process that runs without it, and coverage not at all.
left_out='python3-pythran gdb python3-coverage'

main() {
	case "${1-}" in
	'') force=false ;;
	--force) force=true ;;
	*) fail "unknown argument $1; the only one is --force" ;;
	esac
	find_engine
	if [ "$force" = false ] && image_exists; then
		say "$repository:$tag exists; --force makes it again"
		return
	fi
	[ "$(id -u)" = 0 ] || fail "debootstrap needs root; run it with sudo"
	ensure_debootstrap

	work=$(mktemp -d)
	root=$work/root
	trap clean_up EXIT
	trap 'exit 130' INT TERM HUP
	install_packages
	trim
	compile_what_is_imported
	import
}

say() { echo "base-image: $*"; }
fail() {
	echo "base-image: $*" >&2
	exit 1
}

clean_up() {
	# debootstrap unmounts these itself, unless it was killed.
	for dir in proc sys dev/pts; do
		umount -l "$root/$dir" 2>/dev/null || true
	done
	rm -rf --one-file-system "$work"
}

# --- the Engine: through the CLI, else through its API

find_engine() {
	if command -v docker >/dev/null 2>&1; then
		engine=cli
		docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || fail "no Docker Engine answers; start it first"
		return
	fi
	engine=api
	command -v curl >/dev/null 2>&1 || fail "neither the docker CLI nor curl is installed; install one of them"
	api GET /_ping >/dev/null 2>&1 || fail "no Docker Engine answers at ${DOCKER_HOST:-/var/run/docker.sock}; start it, or set DOCKER_HOST"
}

# api METHOD PATH [curl options]
api() {
	method=$1 path=$2
	shift 2
	case "${DOCKER_HOST:-unix:///var/run/docker.sock}" in
	unix://*)
		socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
		curl -sSf -X "$method" --unix-socket "${socket#unix://}" "$@" "http://engine$path"
		;;
	tcp://*) curl -sSf -X "$method" "$@" "http://${DOCKER_HOST#tcp://}$path" ;;
	*) fail "cannot reach DOCKER_HOST=$DOCKER_HOST without the docker CLI; use unix:// or tcp://" ;;
	esac
}

image_exists() {
	case $engine in
	cli) docker image inspect "$repository:$tag" >/dev/null 2>&1 ;;
	api) api GET "/images/$repository:$tag/json" >/dev/null 2>&1 ;;
	esac
}

import() {
	say "importing $(du -sm "$root" | cut -f1) MB as $repository:$tag"
	remove_old_image
	case $engine in
	cli)
		pack | docker import --change 'ENV PYTHONUNBUFFERED=1' --change 'CMD ["python3"]' \
			--message "Debian $suite: $packages" - "$repository:$tag" >/dev/null
		;;
	api)
		pack | api POST "/images/create?fromSrc=-&repo=$repository&tag=$tag&changes=ENV%20PYTHONUNBUFFERED%3D1&changes=CMD%20%5B%22python3%22%5D" \
			-H 'Content-Type: application/x-tar' -T - >/dev/null
		;;
	esac
	image_exists || fail "the Engine took the files and made no image of them; see its log"
	say "done"
}

# Else every --force would leave a nameless image behind.
remove_old_image() {
	case $engine in
	cli) docker image rm "$repository:$tag" >/dev/null 2>&1 || true ;;
	api) api DELETE "/images/$repository:$tag" >/dev/null 2>&1 || true ;;
	esac
}

pack() { tar -C "$root" --numeric-owner --one-file-system -c .; }

# --- the files

ensure_debootstrap() {
	command -v debootstrap >/dev/null 2>&1 && return
	command -v apt-get >/dev/null 2>&1 || fail "debootstrap is missing and there is no apt-get to install it; install debootstrap"
	say "installing debootstrap"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
}

# The mirror that this machine's apt uses for the suite; nothing where it has none,
# and debootstrap then takes its own default.
apt_mirror() {
	command -v apt-get >/dev/null 2>&1 || return 0
	apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(REPO_URI)' 2>/dev/null |
		awk -v suite="$suite" '$1 == "Packages" && $2 == suite && $3 ~ /^(https?|file):/ { print $3; exit }'
}

use_apt_proxy() {
	command -v apt-config >/dev/null 2>&1 || return 0
	apt_http= apt_https=
	eval "$(apt-config shell apt_http Acquire::http::Proxy apt_https Acquire::https::Proxy)"
	case $apt_http in '' | DIRECT) ;; *) export http_proxy="${http_proxy:-$apt_http}" ;; esac
	case $apt_https in '' | DIRECT) ;; *) export https_proxy="${https_proxy:-$apt_https}" ;; esac
}

install_packages() {
	mirror=$(apt_mirror)
	use_apt_proxy
	say "installing Debian $suite with $packages"
	[ -n "$mirror" ] && say "from the mirror in this machine's apt sources" || say "from debootstrap's default mirror"
	write_suite_script
	mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
	cat >"$root/etc/dpkg/dpkg.cfg.d/base-image" <<-END
		force-depends
		force-unsafe-io
		path-exclude=/usr/share/doc/*
		path-include=/usr/share/doc/*/copyright
		path-exclude=/usr/share/man/*
		path-exclude=/usr/share/info/*
		path-exclude=/usr/share/locale/*
		path-exclude=/usr/share/lintian/*
	END
	# The folder must be kept: else debootstrap insists on an empty target.
	if ! debootstrap --variant=minbase --keep-debootstrap-dir --include="$packages" \
		"$suite" "$root" "$mirror" "$work/suite" >"$work/log" 2>&1; then
		tail -n 20 "$work/log" >&2
		fail "debootstrap did not finish; its last words are above"
	fi
	rm "$root/etc/dpkg/dpkg.cfg.d/base-image"
	# So that dpkg's view is whole: what is left out counts as there.
	for package in $left_out; do
		cat >>"$root/var/lib/dpkg/status" <<-END
			Package: $package
			Status: install ok installed
			Maintainer: none
			Architecture: all
			Version: 0
			Description: left out, not needed at run time

		END
		touch "$root/var/lib/dpkg/info/$package.list" "$root/var/lib/dpkg/info/$package.md5sums"
	done
}

# Debian's own suite script, which resolves the dependencies, told what to leave out.
write_suite_script() {
	cat >"$work/suite" <<-END
		. "\$DEBOOTSTRAP_DIR/scripts/$suite"
		EXCLUDE_DEPENDENCY="$left_out"
	END
}

trim() {
	say "trimming"
	cd "$root"
	# The mirror may be this machine's own business: the image does not name it.
	rm -rf debootstrap var/cache/* var/log/* var/lib/apt/lists/* tmp/* etc/apt/sources.list
	find usr/share/doc -mindepth 2 ! -name copyright -delete
	rm -rf usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/i18n usr/share/bug
	rm -rf usr/lib/*/gconv usr/lib/python3*/test usr/lib/python3*/lib2to3 usr/lib/python3*/pydoc_data
	find usr/lib/python3 usr/lib/python3.* -depth -type d \( -name __pycache__ -o -name tests \) -exec rm -rf {} +
	find usr/lib/python3/dist-packages \( -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.c' -o -name '*.cpp' \) -type f -delete
	rm -rf usr/lib/python3/dist-packages/sklearn/datasets/data usr/lib/python3/dist-packages/sklearn/datasets/images
	: >etc/resolv.conf
	: >etc/hostname
	ln -sf python3 usr/bin/python
	cd - >/dev/null
}

# Only what app.py and train.py import gets bytecode: it is what start-up reads, and
# a non-root user could not write it later.
compile_what_is_imported() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin python -c '
import fastapi, numpy, prometheus_client, unittest, uvicorn
import fastapi.responses, sklearn.linear_model, sklearn.metrics, sklearn.model_selection, sklearn.pipeline, sklearn.preprocessing
import uvicorn.lifespan.on, uvicorn.loops.auto, uvicorn.protocols.http.auto, uvicorn.protocols.http.h11_impl
'
}

main "$@"
