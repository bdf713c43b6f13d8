# make        builds ngx_scale_module.so against the installed nginx
# make test   installs what is missing, builds, runs all suites

BUILD   = $(CURDIR)/build
NGXDIR  = /usr/share/nginx/src
CCOPT   = -g -O2 -fPIC -Wall -Wextra
SOURCES = $(wildcard config ngx_scale_module/*.[ch] ngx_scale_module/*/*.[ch])
T       = $(wildcard t/*.t)

.PHONY: all deps test clean

all: $(BUILD)/ngx_scale_module.so

$(BUILD)/ngx_scale_module.so: $(SOURCES)
	mkdir -p $(BUILD)/module
	bash -c 'cd $(NGXDIR) && . ./conf_flags && ./configure \
	    --with-cc-opt="$(CCOPT)" --with-ld-opt=-fPIC \
	    "$${NGX_CONF_FLAGS[@]}" --add-dynamic-module=$(CURDIR) \
	    --builddir=$(BUILD)/module' > $(BUILD)/configure.log \
	    || { cat $(BUILD)/configure.log; exit 1; }
	$(MAKE) -s -f $(BUILD)/module/Makefile -C $(NGXDIR) modules
	cp $(BUILD)/module/ngx_scale_module.so $@

deps:
	@missing=; \
	for p in $$(cat conf/packages); do \
	    dpkg-query -W -f '$${Status}' $$p 2>/dev/null \
	        | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	echo "installing:$$missing"; \
	apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$missing

test: deps
	$(MAKE) all
	prove $(T)

clean:
	rm -rf $(BUILD)
