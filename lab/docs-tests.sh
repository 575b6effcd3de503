#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests that the documents name are the tests that run: every name in
# README.md and docs/ is in the expected list of the release kernel, and every
# test of exclusive access in that list is named in docs/reviewer.md, any other
# of hmm-tests or KUnit that isn't the base's own in one of them. A verdict of
# "make run" that they show has the number of checks that it has today.
# docs-tests.sh [LIST [DOCUMENT...]]: the last DOCUMENT is the one to be complete.

set -eu -o pipefail

top=$(dirname "${BASH_SOURCE[0]}")/..
list=${1:-$top/lab/expected/release.list}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- "$top"/README.md "$top"/docs/{driver,field-cases,nouveau,security,reviewer}.md

awk -v baseline="$top/lab/expected/baseline-5.10.list" '
	BEGIN {
		while ((getline line <baseline) > 0)
			if (sub(/^baseline\//, "", line))
				own[line] = 1
		last = ARGV[ARGC - 1]
		checks = 1	# that the part of the suite came to its end
	}
	FILENAME == ARGV[1] {
		if ($0 !~ /^#/ && NF) {
			sub(/^[^\/]*\//, "", $1)
			expected[$1] = 1
			if ($1 ~ /^(boot|kunit|demo|suite\.demo)(\.|$)|\.exclusive_/)
				checks++
		}
		next
	}
	{
		if (match($0, /it works: [0-9]+ checks/) &&
		    substr($0, RSTART + 10) + 0 != checks) {
			print FILENAME ":" FNR ": it is " checks " checks today"
			bad = 1
		}
		line = $0
		while (match(line, /(hmm(2|_huge)?|kunit\.[a-z_]+)\.[a-z][a-z0-9_]*/)) {
			name = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART + RLENGTH)
			if (name ~ /\.(c|h|o|ko|rst)$/)
				continue
			named++
			anywhere[name] = 1
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
		for (name in expected)
			if (name ~ /^(hmm(2|_huge)?|kunit)\./ && !(name in own) &&
			    !(name in anywhere)) {
				print "no document names " name
				bad = 1
			}
		if (!named) {
			print last ": no test is named at all"
			bad = 1
		}
		exit bad
	}
' "$list" "$@"
