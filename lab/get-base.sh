#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Get the source package that the series is made for, from the archive that
# this machine is set up with, and verify it. Leaves $BUILD/base/VERSION.deb
# and $WORK/base, which names the version in use.
# Exit status 3: the archive does not hold the package any more.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACKAGE=$(base_field package)
RELEASE=$(base_field release)
VERSION=$(base_field version)
SHA256=$(base_field sha256)
APT=$BUILD/apt
STORE=$BUILD/base

# apt-get with folders of its own: nothing of the system is touched, no root.
# The machine's own settings (proxy, keys, certificates) stay in force.
private_apt()
{
	local cmd=$1

	shift
	"$cmd" -q -o "Dir::State::Lists=$APT/lists" -o "Dir::Cache=$APT/cache" \
		-o "Dir::Etc::SourceList=$APT/sources.list" \
		-o "Dir::Etc::SourceParts=$APT/none" \
		-o APT::Sandbox::User=root -o Acquire::Retries=2 \
		-o Acquire::Languages=none "$@"
}

# The archive addresses that this machine uses for its own release, with the
# release and its suffix: "http://.../debian/ bookworm-security"
machine_archives()
{
	local format="\$(REPO_URI) \$(RELEASE)" found

	found=$(apt-get indextargets --format "$format" 'Created-By: Packages' |
		sort -u)
	if [ -z "$found" ]; then
		# No package lists yet: read the machine's sources into
		# folders of our own. What fails here, fails later by name.
		mkdir -p "$APT/own/partial"
		apt-get -qq -o "Dir::State::Lists=$APT/own" \
			-o "Dir::Cache=$APT/cache" \
			-o APT::Sandbox::User=root update >/dev/null 2>&1 || return 0
		found=$(apt-get -o "Dir::State::Lists=$APT/own" indextargets \
			--format "$format" 'Created-By: Packages' | sort -u)
	fi
	printf '%s\n' "$found"
}

# Swap the machine's release for the one that holds the package.
write_sources()
{
	local codename ring signed=

	codename=$(sed -n 's/^VERSION_CODENAME=//p' "${LAB_OS_RELEASE:-/etc/os-release}")
	for ring in /usr/share/keyrings/debian-archive-keyring.gpg \
		    /usr/share/keyrings/debian-archive-keyring.pgp; do
		[ ! -e "$ring" ] || signed="[signed-by=$ring] "
	done
	machine_archives | awk -v mine="$codename" -v want="$RELEASE" \
		-v signed="$signed" '
		{
			suite = $2
			sub(/-security$/, "", suite)
			if (suite != mine && suite !~ /^(old)*stable$/)
				next
			suffix = $2 ~ /-security$/ ? "-security" : ""
			print "deb " signed $1 " " want suffix " main"
		}' | sort -u
}

# candidate: "URI FILE SIZE HASH:VALUE" of the newest version there
candidate()
{
	(cd "$APT/cache" && private_apt apt-get --print-uris download "$PACKAGE") |
		awk '{ gsub(/\047/, "", $1); print; exit }'
}

use_version()
{
	mkdir -p "$WORK"
	printf 'version %s\nfile %s\nfor %s\n' "$1" "$2" "$VERSION" | replace "$WORK/base"
	if [ "$1" = "$VERSION" ]; then
		say "base: $PACKAGE $1, verified (SHA-256)"
	else
		say "base: $PACKAGE $1, signed by the archive, but the series was made for $VERSION: trying it"
	fi
}

have_stored()
{
	[ -e "$STORE/$VERSION.deb" ] || return 1
	[ "$(sha256sum <"$STORE/$VERSION.deb" | cut -d' ' -f1)" = "$SHA256" ] &&
		return 0
	warn "the stored $STORE/$VERSION.deb is damaged; it is fetched again"
	rm -f "$STORE/$VERSION.deb"
	return 1
}

# Another version that an earlier run took for want of this one
have_other()
{
	local file

	[ -e "$WORK/base" ] || return 1
	[ "$(awk '$1 == "for" { print $2 }' "$WORK/base")" = "$VERSION" ] || return 1
	file=$(awk '$1 == "file" { print $2 }' "$WORK/base")
	[ -e "$file" ] && [ -e "$file.sha256" ] &&
		[ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$(cat "$file.sha256")" ]
}

hint="with a kernel tree of your own: make ${LAB_JOB:-run} BASE=DIR"

if have_stored; then
	use_version "$VERSION" "$STORE/$VERSION.deb"
	exit 0
fi
if have_other; then
	use_version "$(awk '$1 == "version" { print $2 }' "$WORK/base")" \
		"$(awk '$1 == "file" { print $2 }' "$WORK/base")"
	exit 0
fi

command -v apt-get >/dev/null ||
	die "this machine has no apt-get to fetch $PACKAGE with; go on $hint"
need_space 1048576 "fetching the base"
mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial" "$APT/none" "$STORE" \
	"$LOGS" || die "cannot make folders under $BUILD"
write_sources | replace "$APT/sources.list"
[ -s "$APT/sources.list" ] ||
	die "no package archive of this machine's own release can be read (no network?); go on $hint"

log=$LOGS/base.log
if ! private_apt apt-get update >"$log" 2>&1; then
	grep -E '^(E|W|Err)' "$log" | head -n 5 | sed 's/^/  | /' >&2
	if grep -q -E 'expired|no longer signed|does not have a Release file|404' "$log"; then
		die "the lists of release $RELEASE have expired or moved in this machine's archive; go on $hint"
	fi
	die "cannot read release $RELEASE in this machine's archive (no network?); go on $hint"
fi
# apt-get update calls an archive that it cannot reach a warning.
if grep -q -E '^(W|Err).*(Failed to fetch|Could not resolve|Could not connect|Unable to connect|Temporary failure)' "$log"; then
	grep -E '^(W|Err)' "$log" | head -n 5 | sed 's/^/  | /' >&2
	if ! grep -q -E 'Could not|Temporary|Unable' "$log"; then
		die "the lists of release $RELEASE have expired or moved in this machine's archive; go on $hint"
	fi
	die "cannot reach this machine's package archive (no network?); go on $hint"
fi

found=$(candidate 2>>"$log") || found=
if [ -z "$found" ]; then
	warn "the archive of this machine has no $PACKAGE in release $RELEASE any more; go on $hint"
	exit 3
fi
read -r uri file size hash <<<"$found"
version=${file#*_}
version=${version%_*}
version=${version//%3a/:}

rm -rf "$STORE/part"
trap 'rm -rf "$STORE/part"' EXIT
mkdir -p "$STORE/part"
PROGRESS_RE=
export PROGRESS_RE
fetch()
{
	cd "$STORE/part" && private_apt apt-get download "$PACKAGE"
}
step download.log "fetching $PACKAGE $version ($((size / 1048576)) MB)" fetch ||
	die "the download of $PACKAGE failed or was cut (${uri##*/}); run it again"
got=$(find "$STORE/part" -name '*.deb')
[ -n "$got" ] || die "the download of $PACKAGE left no package; run it again"
sum=$(sha256sum <"$got" | cut -d' ' -f1)
case $hash in
SHA256:*)
	[ "${hash#SHA256:}" = "$sum" ] ||
		die "$PACKAGE $version: not what the archive's signed list says (SHA-256); run it again"
	;;
*)
	die "the archive's list gives no SHA-256 for $PACKAGE $version"
	;;
esac
if [ "$version" = "$VERSION" ] && [ "$sum" != "$SHA256" ]; then
	die "$PACKAGE $version: not the file that series/$SERIES/BASE names (SHA-256)"
fi
printf '%s\n' "$sum" >"$STORE/part/sum"
mv -f "$STORE/part/sum" "$STORE/$version.deb.sha256"
mv -f "$got" "$STORE/$version.deb"
use_version "$version" "$STORE/$version.deb"
