#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests that the documents name are the tests that run: every name in
# README.md and docs/ is in the expected list of the release kernel, and every
# test of exclusive access in that list is named in docs/reviewer.md.
# docs-tests.sh [LIST [DOCUMENT...]]: the last DOCUMENT is the one to be complete.

set -eu -o pipefail

top=$(dirname "${BASH_SOURCE[0]}")/..
list=${1:-$top/lab/expected/release.list}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- "$top"/README.md "$top"/docs/{driver,field-cases,nouveau,security,reviewer}.md

awk '
	BEGIN { last = ARGV[ARGC - 1] }
	FILENAME == ARGV[1] {
		if ($0 !~ /^#/ && NF) {
			sub(/^[^\/]*\//, "", $1)
			expected[$1] = 1
		}
		next
	}
	{
		line = $0
		while (match(line, /(hmm(2|_huge)?|kunit\.[a-z_]+)\.[a-z][a-z0-9_]*/)) {
			name = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART + RLENGTH)
			if (name ~ /\.(c|h|o|ko|rst)$/)
				continue
			named++
			if (FILENAME == last)
				complete[name] = 1
			if (!(name in expected)) {
				print FILENAME ":" FNR ": " name " is no expected test"
				bad = 1
			}
		}
	}
	END {
		for (name in expected)
			if (name ~ /^hmm(2|_huge)?\.exclusive_/ && !(name in complete)) {
				print last ": " name " is not described"
				bad = 1
			}
		if (!named) {
			print last ": no test is named at all"
			bad = 1
		}
		exit bad
	}
' "$list" "$@"
