# SPDX-License-Identifier: GPL-2.0
# Thin: each target is a script of lab/. "make" alone prints help.
# BASE=DIR BUILD=DIR CC= LLVM=1 SERIES=VERSION FIRST=N JOBS=N go through.

export BASE BUILD CC LLVM SERIES FIRST JOBS TREE FROM KIND KINDS FULL ONLY UPDATE LATER SHORT OUT LOCKS WHAT
ifeq ($(origin CC),default)
unexport CC
endif
# The kernel's make takes its own parallelism and variables.
MAKEFLAGS :=
MAKEOVERRIDES :=

.PHONY: help run test check matrix mutants baseline bench coverage later-tests all-checks shell tree export range-diff clean distclean

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make run         see it work: build, boot, demonstration, exclusive tests, verdict
run:
	@lab/run.sh

#: make test        all tests on the release and the debug kernel (KINDS=release:
#:                  on that one only); what CI runs
test:
	@lab/test.sh

#: make check       the series and the lab: checkpatch, W=1, sparse, kernel-doc, ...
check:
	@lab/check.sh

#: make matrix      the series in other configurations and on other processors
matrix:
	@lab/matrix.sh

#: make mutants     small damages to the series, each killed by the test it names
mutants:
	@lab/mutants.sh

#: make baseline    what the base gives without the series, against the kept list
baseline:
	@lab/baseline.sh

#: make coverage    how many branches of nouveau's pure logic its suite takes
coverage:
	@lab/coverage.sh

#: make later-tests a later kernel's tests of exclusive access, unchanged (LATER=PACKAGE)
later-tests:
	@lab/later-tests.sh

#: make bench       what it costs, in instructions a page, against the targets
#:                  (SHORT=1: 64 MiB only, what CI runs; LOCKS=1: instead, which
#:                  locks threads meet at)
bench:
	@lab/bench.sh

#: make all-checks  all of these (WHAT="test check": some); writes docs/results.md
all-checks:
	@lab/all-checks.sh

#: make shell       boot the release kernel (KIND=debug: the other) with a shell
shell:
	@lab/shell.sh

#: make tree        the git tree of base plus series, to work in
tree:
	@lab/tree.sh

#: make export      the tree's commits back into series/ (TREE=DIR: of another tree)
export:
	@lab/export.sh

#: make range-diff  the series in the tree against the last tag's
range-diff:
	@lab/range-diff.sh

#: make clean       remove kernels, programs, logs; base, tree and ccache stay
clean:
	@lab/clean.sh

#: make distclean   remove all that the lab made, but never work that isn't exported
distclean:
	@lab/clean.sh all

#:
#: BASE=DIR     a kernel tree of your own (never written to), on any distribution
#: BUILD=DIR    where everything lies (build/)    SERIES=VERSION  the series (5.10)
#: CC=, LLVM=1  the compiler                      JOBS=N          parallel jobs
#: FIRST=N      the first N patches of the series only (docs/nouveau.md)
#: FULL=1       check: the whole kernel           ONLY=A,B        matrix, mutants: these;
#:                                                check: builds after these patches
