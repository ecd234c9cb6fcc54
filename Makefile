# dbkit: PGXS Makefile.  The version lives in dbkit.control alone.
EXTENSION  = dbkit dbkit_test dbkit_audit
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" dbkit.control)

MODULE_big = dbkit
OBJS       = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c src/*/*/*.c))
DATA       = $(filter-out $(DATA_built), $(wildcard src/dbkit--*.sql)) $(wildcard src/dbkit_test--*.sql src/dbkit_audit--*.sql)
DATA_built = src/dbkit--portable--$(EXTVERSION).sql

# -isystem: warnings are ours to mend only where the code is ours.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(includedir_server) -DDBKIT_VERSION='"$(EXTVERSION)"'

# := so that PGXS sees an empty list as unset and leaves that kind of test out.
REGRESS        := $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
# Whatever the locale of the cluster is.
DATABASE_OPTS   = --load-extension=dbkit --encoding=UTF8 --no-locale
REGRESS_OPTS    = $(DATABASE_OPTS)
ISOLATION      := $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS  = --inputdir=test/isolation $(DATABASE_OPTS)
PROVE_TESTS    := $(sort $(wildcard test/t/*.pl))
TAP_TESTS      := $(if $(PROVE_TESTS),1)
EXTRA_CLEAN     = $(rule_pages) docs/.vitepress/dist docs/.vitepress/cache $(wildcard src/*.gc?? src/*/*.gc?? src/*/*/*.gc?? dbkit-*.zip)

# What dbkit.explain_rule() shows
rule_pages      = src/convention/rule_pages.inc

.DEFAULT_GOAL := all
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
.PHONY: all install installcheck clean
all install installcheck clean:
	@echo "make $@: $(PG_CONFIG) does not name a PGXS makefile; install postgresql-server-dev-15 or set PG_CONFIG" >&2; exit 1
endif

$(OBJS): $(wildcard src/*.h src/*/*.h src/*/*/*.h) dbkit.control

src/convention/explain.o src/convention/explain.bc: $(rule_pages)
$(rule_pages): $(sort $(wildcard docs/rules/*.md))
	@for page in $^; do \
		echo "{\"$$(basename "$$page" .md)\","; sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' "$$page"; echo '},'; \
	done > $@

# From portable/dbkit.sql, which dbkit--portable.sql takes over: the install script, with what
# is there replaced, and what is left of the other edition dropped.
$(DATA_built): src/own_portable.sql src/dbkit--$(EXTVERSION).sql src/drop_portable_helpers.sql
	@{ cat src/own_portable.sql; \
		sed -e '1,/^CREATE SCHEMA dbkit;/d' -e 's/^CREATE \(FUNCTION\|PROCEDURE\|VIEW\) /CREATE OR REPLACE \1 /' src/dbkit--$(EXTVERSION).sql; \
		cat src/drop_portable_helpers.sql; } > $@

# These set up everything by themselves (packages, build, a throwaway cluster),
# so they also work where there is no pg_config yet.
.PHONY: demo demo-cluster test test-matrix torture psql bench docs docs-serve dist
demo:
	@DBKIT_UNPACK=$${DBKIT_UNPACK:-missing} tools/sandbox tools/demo
demo-cluster:
	@tools/citus tools/demo-cluster
test:
	@tools/sandbox tools/run-tests
test-matrix:
	@tools/matrix
torture:
	@status=0; export TORTURE_SECONDS="$${TORTURE_SECONDS:-720}"; \
	for suite in tools/torture 'tools/valgrind long' 'tools/pg-regress off preload warning isolation assert' 'tools/sanitize address'; do \
		$$suite || status=1; \
	done; exit $$status
psql:
	@DBKIT_UNPACK=$${DBKIT_UNPACK:-missing} tools/sandbox psql -d dbkit
bench:
	@tools/bench
docs:
	@tools/docs-site build
docs-serve:
	@tools/docs-site serve

dist:
	git archive --format=zip --prefix=dbkit-$(EXTVERSION)/ -o dbkit-$(EXTVERSION).zip HEAD
