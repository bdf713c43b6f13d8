# make            builds build/ngx_scale_module.so against the installed nginx
# make test       installs what is missing, builds, runs all suites; T= names
#                 some of the .t files
# make unit       runs the unit tests only
# make aws        what t/aws-*.t talks to instead of AWS
# make step       the module that t/step.t holds at each step
# make asan-test  the .t files against an nginx with sanitizers
# make compat     the .t files against another nginx, whose source tree is
#                 NGINX=; the module is loaded into it, and linked into it
# make stress     the promise under faults; SCALE_SECONDS= of each, as root
# make ha         failovers of Patroni under load; SCALE_SOAK=1 for 10 of them
# make load       the load generator of the benchmarks, t/bench/load.c
# make bench      a request's cost beside its peers'; B=local,cached,database,write,
#                 ROUNDS=, SECONDS=, PEER_NGX_POSTGRES=
# make bench-day         40,000 reads/s of 10 million rows, and ten times that;
#                        ROWS=, SECONDS=, WARM=, BURST=, WORKERS=, SCALE_DAY=
# make bench-growth      what a request costs as rows, connections, memcacheds,
#                        routes and workers grow; PART= of these, ROWS=, ...
# make bench-replicas    reads of 1, 2 and 3 PostgreSQL servers; the same
# make bench-queue       claims of jobs with 1,000 and 1,000,000 waiting, how soon
#                        a client that waits has one; JOBS=, ROUNDS=, SECONDS=
# make bench-instructions  instructions of nginx per request, within 5 %
# make run        an example on this machine

BUILD   = $(CURDIR)/build
NGXDIR  = /usr/share/nginx/src
CCOPT   = -g -O2 -fPIC -Wall -Wextra
SOURCES = $(sort $(wildcard ngx_scale_module/*.[ch] ngx_scale_module/*/*.[ch]))
LOAD    = $(sort $(wildcard t/bench/load*.[ch]))

PACKAGES = conf/packages

NGINX_VERSION = $(shell dpkg-query -W -f '$${source:Upstream-Version}' \
                        nginx 2>/dev/null)
NGINX_SRC     = $(BUILD)/src/nginx-$(NGINX_VERSION)

# nginx itself passes NULL to memcpy() with a zero length.

ASAN    = $(BUILD)/asan
ASANCC  = -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
          -fno-sanitize=nonnull-attribute -DNGX_DEBUG_PALLOC=1

# An unloaded module has no names in the report of a leak.

ASANLD  = -fsanitize=address,undefined -Wl,-z,nodelete

# No log_path: reports go to error.log, where the suites look for them.
# nginx and the module both define ngx_module_names.

ASANENV = ASAN_OPTIONS=detect_leaks=1:detect_odr_violation=0:fast_unwind_on_malloc=0 \
          LSAN_OPTIONS=suppressions=$(CURDIR)/t/lsan.supp \
          UBSAN_OPTIONS=print_stacktrace=1

# The source tree of another nginx, a release or a checkout, is only read.
# nginx would take this variable for the sockets that it inherits.

ifdef NGINX
unexport NGINX
COMPAT_VERSION := $(shell sed -n 's/^.define NGINX_VERSION *"\(.*\)"/\1/p' \
                          $(NGINX)/src/core/nginx.h)
COMPAT         := $(BUILD)/compat/$(COMPAT_VERSION)
COMPAT_SOURCES := $(shell find $(NGINX)/auto $(NGINX)/conf $(NGINX)/src -type f)
endif

UNITS   = $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(wildcard t/unit/*.c))
UNITCC  = $(ASANCC) -Wall -Wextra -Wno-unused-parameter -Werror -MMD -MP \
          -DNGX_SCALE_WEAK=1 \
          -Ingx_scale_module -I$(ASAN)/nginx.d -I/usr/include/postgresql \
          $(addprefix -I$(NGINX_SRC)/src/,core event event/modules os/unix \
                      http http/modules http/v2)
UNITLIB = -lyajl -lpq -lmemcached -lcrypt -lpcre2-8 -lssl -lcrypto -lz -ldl

ifdef T
SUITES  = all step aws
else
SUITES  = all step aws unit
T       = $(wildcard t/*.t)
endif

.PHONY: all step aws asan load unit test asan-test compat compat-nginx soak \
        stress ha bench bench-day bench-growth bench-replicas \
        bench-queue bench-instructions run deps clean FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/ngx_scale_module.so

step: $(BUILD)/ngx_scale_module_step.so

aws: $(BUILD)/aws/installed

asan: $(ASAN)/nginx $(ASAN)/ngx_scale_module.so

load: $(BUILD)/bench/load


# configure lists the sources in the Makefile it writes, so it is run anew
# only when the list changes; an edited source needs make alone.
#
# $(call configure,nginx source,where,cc options,ld options,more,what takes
#        the place of --with-debug)

define configure
	@mkdir -p $2
	cd $1 && bash -c '. $(NGXDIR)/conf_flags && ASAN_OPTIONS=detect_leaks=0 \
	    ./configure --with-cc-opt="$3" --with-ld-opt="$4" \
	    "$${NGX_CONF_FLAGS[@]/%--with-debug/$(or $6,--with-debug)}" \
	    $5 --builddir=$2' > $2.log \
	    || { cat $2.log; exit 1; }
	@touch $2/configured
endef

$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo $(SOURCES) | cmp -s - $@ || echo $(SOURCES) > $@

$(BUILD)/module/configured: config $(BUILD)/sources $(NGXDIR)/conf_flags
	$(call configure,$(NGXDIR),$(@D),$(CCOPT),-fPIC,--add-dynamic-module=$(CURDIR))

$(BUILD)/ngx_scale_module.so: $(BUILD)/module/configured $(SOURCES)
	$(MAKE) -s -f $(BUILD)/module/Makefile -C $(NGXDIR) modules
	cp $(BUILD)/module/ngx_scale_module.so $@.new && mv $@.new $@


# The same with the points where a controller may hold a worker.

$(BUILD)/step/configured: config $(BUILD)/sources $(NGXDIR)/conf_flags
	$(call configure,$(NGXDIR),$(@D),$(CCOPT) -DNGX_SCALE_STEP=1,-fPIC,--add-dynamic-module=$(CURDIR))

$(BUILD)/ngx_scale_module_step.so: $(BUILD)/step/configured $(SOURCES)
	$(MAKE) -s -f $(BUILD)/step/Makefile -C $(NGXDIR) modules
	cp $(BUILD)/step/ngx_scale_module.so $@.new && mv $@.new $@


# The load generator of the benchmarks.

$(BUILD)/bench/load: $(LOAD)
	@mkdir -p $(@D)
	gcc -g -O2 -Wall -Wextra -Werror -o $@ $(filter %.c,$^) -lm


# What stands for S3 and DynamoDB in t/aws-*.t.

$(BUILD)/aws/installed: t/aws/package.json
	@mkdir -p $(@D)
	cp $< $(@D)
	npm install --prefix $(@D) --no-package-lock --no-audit --no-fund \
	    --loglevel=error
	@touch $@


# The module for the sanitizers.  nginx is configured without the module, so
# that a new source file does not compile all of nginx again.

$(NGINX_SRC)/configure: $(NGXDIR)/conf_flags
	t/source.sh $(BUILD)
	@touch $@

$(ASAN)/nginx.d/configured: $(NGINX_SRC)/configure
	$(call configure,$(NGINX_SRC),$(@D),$(ASANCC),$(ASANLD))

$(ASAN)/nginx: $(ASAN)/nginx.d/configured
	$(MAKE) -s -j2 -f $(ASAN)/nginx.d/Makefile -C $(NGINX_SRC) binary
	cp $(ASAN)/nginx.d/nginx $@

$(ASAN)/module/configured: config $(BUILD)/sources $(NGINX_SRC)/configure
	$(call configure,$(NGINX_SRC),$(@D),$(ASANCC) -Wextra -DNGX_SCALE_STEP=1,$(ASANLD),--add-dynamic-module=$(CURDIR))

$(ASAN)/ngx_scale_module.so: $(ASAN)/module/configured $(SOURCES)
	$(MAKE) -s -j2 -f $(ASAN)/module/Makefile -C $(NGINX_SRC) modules
	cp $(ASAN)/module/ngx_scale_module.so $@.new && mv $@.new $@


# Another nginx: the module, the one of t/step.t, and an nginx that the module
# is linked into, which has no --with-debug, as many have none.

ifdef NGINX

$(COMPAT)/source/configure: $(COMPAT_SOURCES)
	rm -rf $(@D)
	mkdir -p $(@D)
	cd $(NGINX) && cp -R auto conf src $(@D)
	cp $(firstword $(wildcard $(NGINX)/configure $(NGINX)/auto/configure)) $@
	@touch $@

$(COMPAT)/module/configured: config $(BUILD)/sources $(COMPAT)/source/configure
	$(call configure,$(COMPAT)/source,$(@D),$(CCOPT),-fPIC,--add-dynamic-module=$(CURDIR))

$(COMPAT)/step/configured: config $(BUILD)/sources $(COMPAT)/source/configure
	$(call configure,$(COMPAT)/source,$(@D),$(CCOPT) -DNGX_SCALE_STEP=1,-fPIC,--add-dynamic-module=$(CURDIR))

$(COMPAT)/static/configured: config $(BUILD)/sources $(COMPAT)/source/configure
	$(call configure,$(COMPAT)/source,$(@D),$(CCOPT),,--add-module=$(CURDIR),--with-compat)

$(COMPAT)/%/ngx_scale_module.so: $(COMPAT)/%/configured $(SOURCES)
	$(MAKE) -s -f $(@D)/Makefile -C $(COMPAT)/source modules

$(COMPAT)/%/nginx: $(COMPAT)/%/configured $(SOURCES)
	$(MAKE) -s -f $(@D)/Makefile -C $(COMPAT)/source binary

compat-nginx: $(addprefix $(COMPAT)/,module/nginx module/ngx_scale_module.so \
                step/ngx_scale_module.so static/nginx)

endif


# A unit test is linked with the sources its first line names and with what
# it needs of nginx.

$(ASAN)/libnginx.a: $(ASAN)/nginx
	rm -f $@
	objcopy --redefine-sym main=nginx_main $(ASAN)/nginx.d/src/core/nginx.o \
	    $(ASAN)/nginx_main.o
	ar crs $@ $(ASAN)/nginx_main.o $(ASAN)/nginx.d/ngx_modules.o \
	    $$(find $(ASAN)/nginx.d/src -name '*.o' ! -path '*/core/nginx.o')

unit_sources = $(shell sed -n '1s,^/\* sources:\(.*\)\*/.*,\1,p' t/unit/$1.c)
unit_rule    = $$(BUILD)/unit/$1: $$(ASAN)/unit/test/$1.o \
    $(patsubst %.c,$$(ASAN)/unit/%.o,$(unit_sources))

$(foreach u,$(notdir $(UNITS)),$(eval $(call unit_rule,$u)))

$(UNITS): $(ASAN)/libnginx.a
	@mkdir -p $(@D)
	gcc -fsanitize=address,undefined -Wl,-E -o $@ $(filter %.o,$^) \
	    $(ASAN)/libnginx.a $(UNITLIB)

$(ASAN)/unit/test/%.o: t/unit/%.c | $(ASAN)/nginx
	@mkdir -p $(@D)
	gcc $(UNITCC) -c -o $@ $<

$(ASAN)/unit/%.o: ngx_scale_module/%.c | $(ASAN)/nginx
	@mkdir -p $(@D)
	gcc $(UNITCC) -c -o $@ $<

-include $(wildcard $(ASAN)/unit/*/*.d)

unit: $(UNITS)
	$(ASANENV):halt_on_error=1 prove -e '' $(UNITS)


# apt-get runs first: what is to be built depends on what it installs.

test: deps
	$(MAKE) $(SUITES)
	prove -It/lib $(T)

asan-test: deps
	$(MAKE) asan aws
	TEST_NGINX_BINARY=$(ASAN)/nginx \
	    NGX_SCALE_MODULE=$(ASAN)/ngx_scale_module.so $(ASANENV) \
	    prove -It/lib $(T)

# TEST_NGINX_LOAD_MODULES of a space loads none.

compat: deps
	@[ -n "$(COMPAT_VERSION)" ] \
	    || { echo "NGINX= has to name a source tree of nginx"; exit 1; }
	$(MAKE) compat-nginx aws
	TEST_NGINX_BINARY=$(COMPAT)/static/nginx TEST_NGINX_LOAD_MODULES=' ' \
	    prove -It/lib t/conf.t t/api.t
	TEST_NGINX_BINARY=$(COMPAT)/module/nginx \
	    NGX_SCALE_MODULE=$(COMPAT)/module/ngx_scale_module.so \
	    NGX_SCALE_MODULE_STEP=$(COMPAT)/step/ngx_scale_module.so \
	    prove -It/lib $(T)

soak: deps
	$(MAKE) all
	SCALE_SOAK=1 prove -It/lib t/herd.t t/load.t

ha: PACKAGES += conf/packages-ha
ha: deps
	$(MAKE) all
	prove -It/lib t/ha/patroni.t

stress: PACKAGES += conf/packages-stress
stress: deps
	$(MAKE) all step
	prove -It/lib t/stress

bench: PACKAGES += conf/packages-bench
bench: deps
	$(MAKE) all load
	perl t/bench/run.pl

bench-day bench-growth: deps
	$(MAKE) all load
	perl t/bench/$(@:bench-%=%).pl

bench-replicas: deps
	$(MAKE) all load
	perl t/bench/replicas.pl

bench-queue: deps
	$(MAKE) all
	perl t/bench/queue.pl

bench-instructions: PACKAGES += conf/packages-instructions
bench-instructions: deps
	$(MAKE) all
	perl t/bench/instructions.pl

run: deps
	$(MAKE) all
	exec conf/run.sh

# A package may be there under another's name: some nodejs have npm in them.

deps:
	@missing=; \
	have=$$(dpkg-query -W -f '$${db:Status-Status} $${Package}, $${Provides}\n' \
	        | sed -n 's/([^)]*)//g; s/^installed //p'); \
	for p in $$(cat $(PACKAGES)); do \
	    echo "$$have" | tr ', ' '\n\n' | grep -qxF $$p \
	        || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	if [ $$(id -u) = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo='sudo -n'; \
	else \
	    echo "missing packages:$$missing"; \
	    echo "as root: apt-get install --no-install-recommends$$missing"; \
	    exit 1; \
	fi; \
	echo "installing:$$missing"; \
	$$sudo apt-get update -qq && \
	    $$sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$missing

clean:
	rm -rf $(BUILD)
