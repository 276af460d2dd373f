# mcpvigil: make targets
#
#   make            build build/mcpvigil
#   make demo       (root) set up, build, watch real MCP peers over stdio and HTTP, catch one in a loop
#   make test       (root) set up, build, unit tests, end-to-end tests; closes with "N passed, N failed"
#   make test-all   (root) as test, with every end-to-end cell
#   make check      unit tests, layers, sizes, headers alone; no root, seconds
#   make run        (root) build, then mcpvigil trace
#   make fuzz       fuzz every decoder; FUZZ_SECONDS=20 each
#   make vm         the same binary on other kernels under QEMU
#   make bench      (root) figures for the README; ROWS="tls https resolve latency": some of them
#   make install    PREFIX=/usr/local, DESTDIR
#   make clean, make help
#
# SAN=1 builds with address and undefined-behaviour sanitizers under build/san. V=1 shows commands.

O := build$(if $(SAN),/san)
ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
TRIPLET := $(shell gcc -print-multiarch 2>/dev/null)
PATHS := $(subst :, ,$(PATH))
CLANG := $(firstword $(wildcard $(foreach v,clang-19 clang-18 clang-17 clang-16 clang,$(addsuffix /$v,$(PATHS)))) clang)
BPFTOOL := $(firstword $(wildcard /usr/sbin/bpftool $(addsuffix /bpftool,$(PATHS))) bpftool)
PREFIX := /usr/local
FUZZ_SECONDS := 20
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)

PKGS := libbpf libelf capstone libnghttp2 zlib libzstd libbrotlidec libxxhash libcrypto yaml-0.1 libcap-ng libseccomp
LOADED := libcurl libmicrohttpd # at run time, where they are needed (user/base/lib.h): headers alone
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(LOADED) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
, := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined)
CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iuser -I$O $(PKG_CFLAGS)
CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wvla -fno-omit-frame-pointer \
	$(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong $(SANFLAGS)
LDFLAGS := $(SANFLAGS) -Wl,-z,relro,-z,now
DEPS = -MMD -MP -MF $@.d

BPF_SRC := $(wildcard bpf/*.bpf.c)
BPF_OBJ := $(BPF_SRC:%.c=$O/%.o)
USER_SRC := $(filter-out user/main.c,$(wildcard user/*.c user/*/*.c))
USER_OBJ := $(USER_SRC:%.c=$O/%.o)
TESTS := $(patsubst %.c,$O/%,$(wildcard tests/unit/*_test.c))
FUZZERS := $(patsubst %.c,$O/%,$(wildcard tests/fuzz/*_fuzz.c))
# Decoders and what they rest on: all that fuzzers and unit tests link.
LIB_OBJ := $(USER_OBJ)

.PHONY: all check unit test test-all demo run fuzz vm bench install clean help setup lint
.DELETE_ON_ERROR:
.SECONDARY:

all: $O/mcpvigil

# Floors are checked once, up front, with what to install.
$O/floor.ok: tools/floor Makefile
	@mkdir -p $(@D)
	$Qtools/floor $(CLANG) $(BPFTOOL) && touch $@

$O/bpf/%.bpf.o: bpf/%.bpf.c Makefile $O/floor.ok
	$(call say,BPF)
	@mkdir -p $(@D)
	$Q$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Werror -D__TARGET_ARCH_$(ARCH) \
		-Iinclude -Ivmlinux -I/usr/include/$(TRIPLET) $(DEPS) -c $< -o $@

$O/probe.bpf.o: $(BPF_OBJ)
	$(call say,LINK)
	$Q$(BPFTOOL) gen object $@ $^

$O/probe.skel.h: $O/probe.bpf.o
	$(call say,SKEL)
	$Q$(BPFTOOL) gen skeleton $< name probe_bpf > $@

$O/user/probe/load.o: $O/probe.skel.h

$O/user/%.o: user/%.c Makefile $O/floor.ok
	$(call say,CC)
	@mkdir -p $(@D)
	$Qgcc $(CPPFLAGS) $(CFLAGS) $(DEPS) -c $< -o $@

$O/libmcpvigil.a: $(LIB_OBJ)
	$(call say,AR)
	$Qrm -f $@ && ar rcs $@ $^

$O/mcpvigil: $O/user/main.o $O/libmcpvigil.a
	$(call say,LINK)
	$Qgcc $(CFLAGS) $(LDFLAGS) $^ $(PKG_LIBS) -o $@

$O/tests/unit/%_test: tests/unit/%_test.c $O/libmcpvigil.a
	$(call say,CC)
	@mkdir -p $(@D)
	$Qgcc $(CPPFLAGS) -Itests/unit $(CFLAGS) $(DEPS) $< $O/libmcpvigil.a $(LDFLAGS) $(PKG_LIBS) -lcmocka -o $@

# Programs that the runners under tests/ use: all of the agent but main.c in it.
$O/tests/%: tests/%.c $O/libmcpvigil.a
	$(call say,CC)
	@mkdir -p $(@D)
	$Qgcc $(CPPFLAGS) $(CFLAGS) $(DEPS) $< $O/libmcpvigil.a $(LDFLAGS) $(PKG_LIBS) -o $@

unit: $(TESTS)
	$Qtests/unit/run $(TESTS)

lint:
	$Qtools/layers
	$Qtools/sizes
	$Qtools/headers

check: all unit lint
	$Qtests/data/run $O/mcpvigil
	$Qtests/config/run $O/mcpvigil

setup:
	$Qtools/setup

test:
	$Qtests/run

test-all:
	$Qtests/run --all

demo:
	$Qtools/setup --demo
	$Q$(MAKE) --no-print-directory all
	$Qtests/e2e/demo

run: all
	$O/mcpvigil trace

fuzz:
	$Qtests/fuzz/run $(FUZZ_SECONDS)

vm: all
	$Qtests/vm/run

bench: all
	$Qtests/bench/run $(ROWS)

install: all
	install -D -m 0755 $O/mcpvigil $(DESTDIR)$(PREFIX)/sbin/mcpvigil
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/mcpvigil
	sed 's,/usr/local/,$(PREFIX)/,' deploy/mcpvigil.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/mcpvigil.service
	$O/mcpvigil config --print-default >$(DESTDIR)$(PREFIX)/share/doc/mcpvigil/mcpvigil.yaml

clean:
	rm -rf build

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

-include $(BPF_OBJ:=.d) $(USER_OBJ:=.d) $O/user/main.o.d $(TESTS:=.d)
