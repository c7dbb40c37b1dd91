# SPDX-License-Identifier: Apache-2.0
# The counting tools of the bench: two TCG plugins for QEMU and the smallest PID 1.

BENCH_PLUGINS := $(B)/bench/icount.so $(B)/bench/profile.so
BENCH_PID1 := $(B)/bench/pid1.cpio

.PHONY: bench-tools
bench-tools: $(BENCH_PLUGINS) $(BENCH_PID1)

$(B)/bench/%.so: tests/bench/plugins/%.c tests/bench/plugins/plugin_api.h tests/bench/plugins/marker.h
	@mkdir -p $(@D)
	@echo "  PLUGIN  $@"
	$(Q)$(CC_host) -std=gnu17 $(WARNINGS) -O2 -fPIC -shared -fvisibility=hidden $< -o $@

$(B)/bench/pid1/init: tests/bench/pid1.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)aarch64-linux-gnu-gcc -std=gnu17 $(WARNINGS) -O2 -ffreestanding -nostdlib -static -s $< -o $@

# An initramfs as large as a real one: 256 KiB beside the program.
$(BENCH_PID1): $(B)/bench/pid1/init
	$(Q)head -c 262144 /dev/zero >$(<D)/ballast
	$(Q)cd $(<D) && printf '%s\n' init ballast | cpio -o -H newc --quiet >$(abspath $@)

# The entrypoint that ends the measured way, and what writes the files the bench machine boots.
$(B)/aarch64/bench-entry: $(call objs,aarch64,tests/bench/entry.c)
	$(call link,aarch64,-s)
$(B)/aarch64/bench-net: $(call objs,aarch64,tests/bench/net_guest.c)
	$(call link,aarch64,-s)
$(B)/host/bench-pack: $(call objs,host,tests/bench/pack.c) $(LIB_STATIC)
	$(call link,host,$(LIB_LIBS))

BENCH_NATIVE := $(B)/x86_64/init-oci $(B)/x86_64/probe $(B)/x86_64/ns-launch
BENCH_NEEDS := $(B)/aarch64/bench-entry $(B)/host/bench-pack $(LIB_TEST)/speed $(B)/host/smk
.PHONY: bench
bench: deps
	$(Q)$(MAKE) --no-print-directory -s $(BENCH_PLUGINS) $(BENCH_NEEDS) $(BENCH_NATIVE) fixture-busybox fixture-python image-nginx image-redis $(B)/aarch64/bench-net
	$(Q)tests/bench/bench.py $(BENCH_NEEDS) $(B)/fixtures/busybox $(B)/aarch64/bench-net $(BENCH_APPEND)

# The figures and the picture in docs/, from the last `make bench`.
.PHONY: bench-publish
bench-publish: $(B)/bench.json
	$(Q)tests/bench/publish.py $< docs
