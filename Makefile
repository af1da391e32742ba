#: make build        the module devkit4ai.core for every Lua found, build/run and build/devkit4ai (also plain `make`)
#: make quickstart   the whole workflow against the sandbox, with a picture on disk at the end
#: make gateway      a web page for your users, on nginx and the sandbox (examples/nginx)
#: make check        the fast tests: five Luas, and C under the sanitizers
#: make test         every test; PARTS="c lua5.4": these parts of tools/test alone
#: make amalgamation the client in one C file, in build/amalgamation, for programs that link everything in
#: make fuzz         each fuzz target for MINUTES (10); `make test` gives them 30 seconds
#: make bench        this client beside raw libcurl, Lua-cURL, lua-http, LuaSocket and Node's fetch
#: make queue-demo   Redis, the sandbox and three workers: a batch on several machines (docs/batch-queue.md)
#: make queue-walk   SEEDS (20) random walks of a queue with JOBS jobs: workers and Redis are killed or cut off; needs Linux and ip
#: make queue-model  1,000,000 jobs, 100 workers and all faults, in a model
#: make install      for every Lua found, under PREFIX (/usr/local)
#: make mutants      breaks one promise after another in a copy, and shows the test that fails
#: make batch-walk   random walks of a batch: kills, faults, moved clocks; SEEDS (20), JOBS (2000)
#: make systems      tests on ARM by qemu and on musl, compiles for macOS, Windows and others where zig is (docs/systems.md),
#:                   and all specs on the Luas of which `make test` runs a part
#: make windows      core.dll for Windows and an archive for games, in build/windows, by mingw-w64, and its tests in wine
#: make clean-room   quickstart, test and the lines that install, in a bare Debian that holds only git, make and a clone;
#:                   SUITE=trixie: in Debian 13
#: make release-check makes a release in a scratch clone, and installs its rocks and its archive for every Lua; checks the workflows
#: make debian-package the packages lua-devkit4ai and devkit4ai-sandbox, in build/debian, checked by lintian
#: make clean        removes build/
# What a target needs and the machine lacks, tools/packages installs first.

PREFIX ?= /usr/local
MINUTES ?= 10
SEEDS ?= 20
JOBS ?= 2000

.PHONY: build quickstart gateway check test fuzz bench batch-walk queue-demo queue-walk queue-model install amalgamation mutants systems windows clean-room release-check debian-package clean help

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
	@tools/test $(PARTS)

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

queue-demo:
	@tools/packages test
	@tools/build build
	@build/run lua5.4 examples/queue/demo.lua

queue-walk:
	@tools/packages queue-walk
	@tools/build build
	@for seed in $$(seq $(SEEDS)); do \
	  unshare -rn build/run lua5.4 spec/support/programs/queue_walk.lua $(JOBS) 3 $$seed || exit 1; done

queue-model:
	@tools/build build
	@build/run luajit spec/devkit4ai/batch/queue/model/run.lua 1000000 100 0.01 1

mutants:
	@tools/packages test
	@tools/mutants

systems:
	@tools/packages systems
	@tools/systems
	@tools/test lua5.1-all lua5.2-all lua5.3-all lua5.4-all lua5.5-all luajit-all valgrind-all

windows:
	@tools/packages windows
	@tools/windows
	@tools/test windows

clean-room:
	@tools/packages clean-room
	@tools/clean-room

debian-package:
	@tools/packages debian-package
	@tools/debian-package

release-check:
	@tools/packages test
	@tools/workflows
	@tools/lua55
	@tools/release-check

clean:
	rm -rf build

help:
	@sed -n 's/^#: //p' Makefile
