#: make build        the module devkit4ai.core for every Lua found, build/run and build/devkit4ai (also plain `make`)
#: make quickstart   the whole workflow against the sandbox, with a picture on disk at the end
#: make gateway      a web page for your users, on nginx and the sandbox (examples/nginx)
#: make check        the fast tests: five Luas, and C under the sanitizers
#: make test         every test
#: make amalgamation the client in one C file, in build/amalgamation, for programs that link everything in
#: make fuzz         each fuzz target for MINUTES (10); `make test` gives them 30 seconds
#: make bench        this client beside raw libcurl, Lua-cURL, lua-http, LuaSocket and Node's fetch
#: make install      for every Lua found, under PREFIX (/usr/local)
#: make mutants      breaks one promise after another in a copy, and shows the test that fails
#: make batch-walk   random walks of a batch: kills, faults, moved clocks; SEEDS (20), JOBS (2000)
#: make systems      compiles for other systems, by zig: musl, ARM, macOS, Windows (docs/systems.md)
#: make clean-room   quickstart, test and the lines that install, in a bare Debian that holds only git, make and a clone;
#:                   SUITE=trixie: in Debian 13
#: make release-check makes a release in a scratch clone, and installs its rocks and its archive for every Lua
#: make debian-package the packages lua-devkit4ai and devkit4ai-sandbox, in build/debian, checked by lintian
#: make clean        removes build/
# What a target needs and the machine lacks, tools/packages installs first.

PREFIX ?= /usr/local
MINUTES ?= 10
SEEDS ?= 20
JOBS ?= 2000

.PHONY: build quickstart gateway check test fuzz bench install amalgamation batch-walk mutants systems clean-room release-check debian-package clean help

build:
	@tools/packages build
	@tools/build build

quickstart:
	@tools/packages quickstart
	@tools/build build
	@build/run lua5.4 examples/quickstart.lua

gateway:
	@tools/packages gateway
	@tools/build build
	@tools/gateway

check:
	@tools/packages test
	@tools/test check

test:
	@tools/packages test
	@tools/test

fuzz:
	@tools/packages test
	@tools/fuzz $$(($(MINUTES) * 60))

bench:
	@tools/packages bench
	@tools/build build all benchmarks
	@tools/contract || echo "without Prism"
	@bench/run

install:
	@tools/packages install
	@umask 022 && tools/build build && rm -f build/install_manifest.txt && cmake --install build --prefix "$(PREFIX)"

amalgamation:
	@tools/packages build
	@tools/amalgamation

batch-walk:
	@tools/packages test
	@tools/build build
	@tools/batch-walk $(SEEDS) $(JOBS)

mutants:
	@tools/packages test
	@tools/mutants

systems:
	@tools/systems

clean-room:
	@tools/packages clean-room
	@tools/clean-room

debian-package:
	@tools/packages debian-package
	@tools/debian-package

release-check:
	@tools/packages test
	@tools/lua55
	@tools/release-check

clean:
	rm -rf build

help:
	@sed -n 's/^#: //p' Makefile
