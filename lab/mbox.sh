#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The series as one mailbox on standard output, cover letter first, for "b4 am
# -m" and mail readers: with a Message-ID for each mail, threaded below the
# cover letter, and header lines that aren't folded, which some b4 can't read.

set -eu -o pipefail

dir=${1:-$(dirname "${BASH_SOURCE[0]}")/../series/${SERIES:-5.10}}

awk '
	FNR == 1 {
		if (body == 0 && NR > 1) {
			print "a mail without a body before " FILENAME >"/dev/stderr"
			exit 1
		}
		body = 0
		held = ""
		name = FILENAME
		sub(/.*\//, "", name)
		sub(/\.patch$/, "", name)
		id = "<" name "@localhost>"
		if (!top)
			top = id
		else
			print ""
		print
		print "Message-ID: " id
		if (id != top)
			print "In-Reply-To: " top "\nReferences: " top
		next
	}
	body { print; next }
	/^[ \t]/ { sub(/^[ \t]+/, " "); held = held $0; next }
	held != "" { print held; held = "" }
	$0 == "" { body = 1; print; next }
	{ held = $0 }
' "$dir"/[0-9]*.patch
