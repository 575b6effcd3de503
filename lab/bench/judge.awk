# SPDX-License-Identifier: GPL-2.0
# judge.awk: the table of make bench.
#   awk -f judge.awk -v reference=0|1 -v slack=1 -v subs=0 -v judged=1 TARGETS FIGURES
# With -v csv=1 the same as CSV, without its head.
# FIGURES are the lines that guest/bench prints. Exit status 1: a target that
# counts is missed, or a check of the benchmark itself failed.

function trim(s)
{
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# show VALUE: as exact as it makes sense
function show(v)
{
	if (v == "")
		return "-"
	return (v < 20) ? sprintf("%.1f", v) : sprintf("%.0f", v)
}

function row(what, v, f, ratio, target, verdict)
{
	if (csv) {
		gsub(/"/, "", what)
		print "\"" what "\"," v "," f "," ratio "," target "," verdict
		return
	}
	print "| " what " | " v " | " f " | " ratio " | " target " | " verdict " |"
}

FILENAME == ARGV[1] {
	if ($0 ~ /^#/ || $0 !~ /:/)
		next
	n++
	split($0, part, " : ")
	figure[n] = trim(part[1])
	floor[n] = trim(part[2])
	split(trim(part[3]), k, " ")
	kind[n] = k[1]
	target[n] = k[2]
	ref[n] = trim(part[4])
	text[n] = trim(part[5])
	next
}

$1 == "figure" && $5 == subs {
	value[$2 "/" $3 "/" $4] = $7
}

# What the benchmark itself found wrong; each once.
$1 == "check" && !seen[$2, $3, $4, $5]++ && $5 == subs {
	wrong[++nwrong] = sprintf("%s/%s/%s is %s, not %s", $2, $3, $4, $6, $7)
}

$1 == "failed:" {
	wrong[++nwrong] = $0
}

END {
	bad = 0
	if (!csv) {
		print "| figure | a page | floor | ratio | target | |"
		print "| --- | ---: | ---: | ---: | ---: | --- |"
	}
	for (i = 1; i <= n; i++) {
		v = value[figure[i]]
		f = floor[i] == "-" ? "" : value[floor[i]]
		if (v == "" && kind[i] == "ratio")
			continue		# of a size that wasn't measured
		if (v == "") {
			# With a subscriber not everything is measured again.
			if (judged) {
				row(text[i], "-", show(f), "", target[i], "NOT MEASURED")
				bad = 1
			}
			continue
		}
		if (kind[i] == "above") {
			ratio = f > 0 ? v / f : 0
			got = v - f
		} else {
			ratio = f > 0 ? v / f : 0
			got = kind[i] == "ratio" ? ratio : v
		}
		limit = target[i] * slack
		verdict = ""
		if (judged && kind[i] != "none") {
			if (got <= limit) {
				verdict = "met"
			} else if (kind[i] == "ratio" || reference || !(f > 0) || !(ref[i] > 0)) {
				verdict = "MISSED"
			} else {
				# another compiler or emulator: what counts is how
				# it stands to the floor of the same run
				verdict = got / f <= limit / ref[i] ? \
					"missed, but not by its ratio" : "MISSED"
			}
			if (verdict == "MISSED")
				bad = 1
		}
		row(text[i], (kind[i] == "ratio" ? show(v) : show(got)), show(f), \
			(f > 0 ? sprintf("%.2f", ratio) : "-"), \
			(kind[i] == "none" ? "-" : \
			 kind[i] == "ratio" ? "ratio " target[i] : target[i]), verdict)
	}
	for (i = 1; i <= nwrong; i++) {
		if (i == 1 && !csv)
			print ""
		print "WRONG: " wrong[i]
		bad = 1
	}
	exit bad
}
