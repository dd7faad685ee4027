# SPDX-License-Identifier: MIT
# A thin front for CMake: the release build lives in build/, the instrumented ones in build-asan/ and build-tsan/.
.DEFAULT_GOAL := build
.PHONY: help setup build test demo demo-images demo-policy install clean format lint asan tsan

jobs := $(shell nproc)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-19s %s\n", $$1, $$2 }'

setup: ## install what the build needs and this machine lacks (Debian, Ubuntu)
	@tools/setup.sh

build: setup ## the release program, at build/lfm
	@$(call compile,release,build,$(if $(wildcard build/CMakeCache.txt),,-DLFM_TESTS=OFF))

test: ## build, then every test
	@tools/setup.sh test
	@$(call compile,release,build,-DLFM_TESTS=ON)
	@ctest --test-dir build --output-on-failure -j $(jobs)

demo: build ## train, sample and score on the spot; leaves demo-out/ to look at
	@demo/run.sh

demo-images: build ## learn Debian's Fashion-MNIST for some minutes; leaves demo-images-out/ to look at
	@tools/setup.sh images
	@demo/images.sh

demo-policy: build ## learn to lift a cube from a scripted expert; leaves demo-policy-out/ to look at
	@demo/policy.sh

install: build ## install program, library, header (PREFIX=/usr/local, DESTDIR=)
	@cmake --install build $(if $(PREFIX),--prefix $(PREFIX))

clean: ## remove every build folder and what the demos left
	@rm -rf build build-debug build-asan build-tsan demo-out demo-images-out demo-policy-out

format: ## rewrite the C sources in the house layout (clang-format)
	@tools/lint.sh format

lint: build ## clang-format and clang-tidy, zero warnings
	@tools/lint.sh

asan: ## every test under AddressSanitizer and UBSan
	@tools/setup.sh test
	@$(call compile,asan,build-asan)
	@ctest --test-dir build-asan --output-on-failure -j $(jobs)

tsan: ## every test under ThreadSanitizer
	@tools/setup.sh test
	@$(call compile,tsan,build-tsan)
	@ctest --test-dir build-tsan --output-on-failure -j $(jobs)

# compile PRESET,FOLDER,OPTIONS: a new folder gets Ninja where there is one; an old one keeps the generator it was made with.
define compile
[ -e $(2)/CMakeCache.txt ] || generator=$$(command -v ninja >/dev/null && echo '-G Ninja'); \
cmake --preset $(1) $$generator $(3) -DLFM_WERROR=$(if $(WERROR),ON,OFF) >/dev/null && cmake --build $(2) --parallel $(jobs)
endef
