# dbkit: PGXS Makefile.  The version lives in dbkit.control alone.
PG_CONFIG ?= pg_config

EXTENSION  = dbkit
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" dbkit.control)

MODULE_big = dbkit
OBJS       = $(patsubst %.c,%.o,$(wildcard src/*.c src/convention/*.c))
DATA       = $(wildcard src/dbkit--*.sql)
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server) -DDBKIT_VERSION='"$(EXTVERSION)"'

REGRESS      = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=dbkit
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --load-extension=dbkit
ifneq ($(wildcard test/t/*.pl),)
TAP_TESTS   = 1
PROVE_TESTS = $(wildcard test/t/*.pl)
endif
EXTRA_CLEAN = results output_iso tmp_check $(wildcard dbkit-*.zip)

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install installcheck clean:
	@echo "make $@: $(PG_CONFIG) does not name a PGXS makefile; install postgresql-server-dev-15 or set PG_CONFIG" >&2; exit 1
endif

# These set up everything by themselves (packages, build, a throwaway cluster),
# so they must also work where there is no pg_config yet.
.PHONY: demo test psql bench
demo:
	@test/sandbox test/demo
test:
	@test/sandbox test/run
psql:
	@test/sandbox psql -d dbkit
bench:
	@test/sandbox test/bench/run

$(OBJS): $(wildcard src/*.h src/convention/*.h) dbkit.control

.PHONY: dist
dist:
	git archive --format=zip --prefix=$(EXTENSION)-$(EXTVERSION)/ -o $(EXTENSION)-$(EXTVERSION).zip HEAD
